const NAME = 'diff-find'
const painted = new Map<HTMLElement, Range[]>()

/**
 * Marks what the search found in the rows of one file that are drawn now. Matches that cross coloured pieces of code are found
 * too. Uses the browser's own highlights, which change no element; without them the lines alone are marked.
 */
export function paintHits(node: HTMLElement, text: string): void {
  if (!('highlights' in CSS)) return
  const ranges = text === '' ? [] : [...rows(node)].flatMap((row) => rangesIn(row, text))
  if (ranges.length > 0) painted.set(node, ranges)
  else painted.delete(node)
  for (const known of painted.keys()) if (!known.isConnected) painted.delete(known)
  CSS.highlights.set(NAME, new Highlight(...[...painted.values()].flat()))
}

/** Marks again after the searched text changed. */
export function repaintHits(root: ParentNode, text: string): void {
  for (const node of root.querySelectorAll<HTMLElement>('diffs-container')) paintHits(node, text)
}

const rows = (node: HTMLElement) =>
  node.shadowRoot?.querySelectorAll<HTMLElement>('[data-line]') ?? []

function rangesIn(row: HTMLElement, text: string): Range[] {
  const exact = text !== text.toLowerCase()
  const content = row.textContent
  const searched = exact ? content : content.toLowerCase()
  const ranges: Range[] = []
  for (let at = searched.indexOf(text); at !== -1; at = searched.indexOf(text, at + text.length)) {
    const [start, end] = [pointAt(row, at), pointAt(row, at + text.length)]
    if (!start || !end) break
    const range = new Range()
    range.setStart(start.node, start.offset)
    range.setEnd(end.node, end.offset)
    ranges.push(range)
  }
  return ranges
}

function pointAt(row: HTMLElement, offset: number): { node: Text; offset: number } | undefined {
  const walker = document.createTreeWalker(row, NodeFilter.SHOW_TEXT)
  let left = offset
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const text = node as Text
    if (left <= text.length) return { node: text, offset: left }
    left -= text.length
  }
  return undefined
}
