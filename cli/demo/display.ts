import type { Goal, ReviewSummary } from '../../contracts/schemas.ts'
import { stageRows } from '../../contracts/stage-rows.ts'
import type { Io } from '../io.ts'
import { createBlock, stageLine } from '../watch-block.ts'

/** Shows a goal as it goes. Text in between is printed by `print`, so that nothing is drawn over it. */
export interface Display {
  show(goal: Goal): void
  print(lines: readonly string[]): void
  /** Lines above what is drawn, which stays. */
  note(lines: readonly string[]): void
  end(): void
}

/** A block drawn in place on a terminal, else one line for each change of a stage. */
export function createDisplay(io: Io): Display {
  return io.draws ? drawnDisplay(io) : printedDisplay(io)
}

function drawnDisplay(io: Io): Display {
  let block: ReturnType<typeof createBlock> | undefined
  let goal: Goal | undefined
  const draw = () => {
    if (!goal) return
    block ??= createBlock(io)
    // the demo says itself what waits and who approves it
    const reviews = [] as ReviewSummary[]
    block.draw({ goal: { ...goal, reviews }, lastLine: '', now: Date.now() })
  }
  const leave = () => {
    block?.end()
    block = undefined
  }
  const clock = setInterval(draw, 1000)
  return {
    show(next) {
      goal = next
      draw()
    },
    print(lines) {
      leave()
      goal = undefined
      for (const line of lines) io.print(line)
    },
    note(lines) {
      block?.erase()
      for (const line of lines) io.print(line)
      draw()
    },
    end() {
      clearInterval(clock)
      leave()
    },
  }
}

function printedDisplay(io: Io): Display {
  const started = performance.now()
  const shown = new Map<string, string>()
  const print = (lines: readonly string[]) => {
    for (const line of lines) io.print(line)
  }
  return {
    show(goal) {
      for (const row of stageRows(goal)) {
        const state = `${row.status} ${row.attempt} ${row.tasks?.done ?? ''}`
        const isNew = shown.get(row.stage) !== state && row.attempt > 0
        shown.set(row.stage, state)
        if (!isNew) continue
        const seconds = ((performance.now() - started) / 1000).toFixed(1).padStart(6)
        io.print(`${seconds} s  ${stageLine(row, { width: 96, now: Date.now(), paint: io.paint })}`)
      }
    },
    print,
    note: print,
    end() {
      return
    },
  }
}
