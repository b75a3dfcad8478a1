/** Longest line that is kept; the rest of a longer one is dropped up to its end. */
export const MAX_LINE_BYTES = 1024 * 1024
const NEWLINE = 0x0a

export interface Line {
  text: string
  /** How many bytes of the line were dropped because it was too long. */
  dropped: number
}

/**
 * Cuts a byte stream into lines of bounded length. Bytes that are not UTF-8 become U+FFFD; a character split over two chunks
 * stays whole, because bytes are decoded per line.
 */
export function createLineSplitter(maxBytes = MAX_LINE_BYTES) {
  let parts: Buffer[] = []
  let kept = 0
  let dropped = 0

  const keep = (piece: Buffer) => {
    const room = Math.min(piece.length, maxBytes - kept)
    dropped += piece.length - room
    if (room === 0) return
    // A copy, because a small piece would keep its whole 64 KB chunk alive.
    parts.push(Buffer.from(piece.subarray(0, room)))
    kept += room
  }
  const take = (): Line => {
    const text = Buffer.concat(parts).toString('utf8')
    const line = { text: text.endsWith('\r') ? text.slice(0, -1) : text, dropped }
    parts = []
    kept = 0
    dropped = 0
    return line
  }
  return {
    push(chunk: Buffer): Line[] {
      const lines: Line[] = []
      let start = 0
      for (let at = chunk.indexOf(NEWLINE); at !== -1; at = chunk.indexOf(NEWLINE, start)) {
        keep(chunk.subarray(start, at))
        lines.push(take())
        start = at + 1
      }
      if (start < chunk.length) keep(chunk.subarray(start))
      return lines
    },
    /** What came after the last newline, if anything did. */
    flush(): Line[] {
      return kept + dropped > 0 ? [take()] : []
    },
  }
}
