import type { AnyMessage, Stream } from '@agentclientprotocol/sdk'
import type { CliLine, CliProcess } from '../cli-process.ts'

/** A tool's result or an image is one line. What is longer is dropped and told of. */
export const MAX_LINE_BYTES = 8 * 1024 * 1024

export interface Overheard {
  /** Any line, of either stream. */
  heard(): void
  stderr(text: string): void
  /** A stdout line that is no message, or of which bytes are missing. */
  garbage(text: string): void
}

/** The process's two pipes as the stream that the SDK speaks over. It ends with the process. */
export function acpStream(cli: CliProcess, overheard: Overheard): Stream {
  const lines = cli.lines[Symbol.asyncIterator]()
  return {
    readable: new ReadableStream<AnyMessage>({
      async pull(controller) {
        for (;;) {
          const { done, value } = await lines.next()
          if (done) return controller.close()
          const message = messageIn(value, overheard)
          if (message) return controller.enqueue(message)
        }
      },
    }),
    writable: new WritableStream<AnyMessage>({
      write(message) {
        cli.write(JSON.stringify(message))
      },
    }),
  }
}

function messageIn(line: CliLine, overheard: Overheard): AnyMessage | undefined {
  overheard.heard()
  if (line.from === 'stderr') {
    overheard.stderr(line.text)
    return undefined
  }
  const message = line.dropped > 0 ? undefined : parse(line.text)
  if (message) return message
  if (line.dropped > 0)
    overheard.garbage(
      `A line of the agent's stdout was too long; ${line.dropped} bytes were dropped.`,
    )
  else if (line.text !== '') overheard.garbage(line.text)
  return undefined
}

function parse(text: string): AnyMessage | undefined {
  if (!text.startsWith('{')) return undefined
  try {
    const value = JSON.parse(text) as { jsonrpc?: unknown }
    return value.jsonrpc === '2.0' ? (value as AnyMessage) : undefined
  } catch {
    return undefined
  }
}
