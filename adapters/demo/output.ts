import { once } from 'node:events'
import type { Usage } from '../../contracts/agent.ts'
import type { DemoOutput } from './wire.ts'

/** The demo agent's voice: prints lines and keeps count of the tokens. */
export interface DemoPrinter {
  print(output: DemoOutput): Promise<void>
  raw(bytes: string | Buffer): Promise<void>
  /** Streams a text in small pieces, with `pauseMs` after each; 0 prints it at once. */
  say(text: string, pauseMs: number): Promise<void>
  /** Adds to the run's cumulative usage and reports it. */
  spend(tokens: Partial<Usage>): Promise<void>
}

/** Of whole characters: half an emoji is nothing that a transcript can hold. */
const PIECES = /.{1,14}/gsu

/** `stdout`: where lines go; `beforePiece` runs between two pieces, so that a correction can be taken up there. */
export function createPrinter(
  stdout: NodeJS.WritableStream,
  beforePiece: () => Promise<void>,
): DemoPrinter {
  const usage: Usage = { input: 0, output: 0, cacheRead: 0, cacheWrite: 0, reasoning: 0 }
  const raw = async (bytes: string | Buffer) => {
    if (!stdout.write(bytes)) await once(stdout, 'drain')
  }
  const print = (output: DemoOutput) => raw(`${JSON.stringify(output)}\n`)
  return {
    raw,
    print,
    async say(text, pauseMs) {
      usage.output += Math.ceil(text.length / 4)
      if (pauseMs === 0) return print({ type: 'delta', text })
      for (const piece of text.match(PIECES) ?? []) {
        await beforePiece()
        await print({ type: 'delta', text: piece })
        await pause(pauseMs)
      }
    },
    async spend(tokens) {
      for (const key of Object.keys(usage) as (keyof Usage)[]) usage[key] += tokens[key] ?? 0
      await print({ type: 'usage', usage: { ...usage }, cost_usd: 0 })
    },
  }
}

/** The pace of a scripted agent; nothing waits for anything here. */
export const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))
