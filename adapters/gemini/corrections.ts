import {
  existsSync,
  type FSWatcher,
  mkdirSync,
  renameSync,
  rmSync,
  watch,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import type { CorrectionState } from '../../contracts/agent.ts'
import type { Correction } from '../adapter.ts'
import { isErrno } from '../is-errno.ts'

/** A folder with one file for each hook; a hook takes it whole by renaming it, so that nothing is told twice. */
const QUEUE = 'queue'
const AFTER_TOOL = 'after-tool.json'
const AFTER_TURN = 'after-turn.json'

/**
 * The hooks of a run. After a tool, what waits is added to its result, which is in the very next request to the model; after the last words
 * of a turn, they are not taken for the end of the work, and what waits is the next turn.
 */
export const HOOKS = (exchange: string) => ({
  AfterTool: [{ hooks: [takes(exchange, AFTER_TOOL)] }],
  AfterAgent: [{ hooks: [takes(exchange, AFTER_TURN)] }],
})

function takes(exchange: string, file: string) {
  const [queue, taken] = [quoted(join(exchange, QUEUE)), `${quoted(join(exchange, 'taken-'))}$$`]
  const command = `mv ${queue} ${taken} 2>/dev/null && cat ${taken}/${file}; true`
  return { type: 'command', name: `dispatch ${file}`, command, timeout: 10_000 }
}

const quoted = (path: string) => `'${path.replaceAll("'", "'\\''")}'`

/** Begins what Gemini CLI prints when the hook after a turn spoke: not a failure. */
export const TURN_GOES_ON = 'Agent execution blocked: '

const words = (texts: readonly string[]) =>
  texts.map((text) => `The user sent a new message while you were working:\n${text}`).join('\n\n')

/** How far each correction came. `delivered`: a hook took it; `applied`: the model has spoken since. */
export interface Corrections {
  add(correction: Correction): void
  /** A tool or a turn is over: what its hook took is in the next request to the model. */
  hooksRan(): void
  /** The model spoke, or asked for a tool. */
  modelSpoke(): void
  /** Those that no hook took: too late, or nothing happened since. */
  waiting(): number
  stop(): void
}

/** `exchange`: a folder of the run's own. */
export function createCorrections(
  exchange: string,
  push: (id: string, state: CorrectionState) => void,
): Corrections {
  let queued: Correction[] = []
  const delivered: string[] = []
  const asked: string[] = []
  let made = 0
  const queue = join(exchange, QUEUE)

  const look = () => {
    if (queued.length === 0 || existsSync(queue)) return
    for (const { id } of queued) push(id, 'delivered')
    delivered.push(...queued.map(({ id }) => id))
    queued = []
  }
  const watcher = watchIn(exchange, look)
  return {
    add(correction) {
      push(correction.id, 'queued')
      // what nobody took is put together with this one
      if (!take(queue, join(exchange, `old-${made}`))) look()
      queued.push(correction)
      made += 1
      const next = join(exchange, `next-${made}`)
      mkdirSync(next)
      const text = words(queued.map((each) => each.text))
      const hookSpecificOutput = { hookEventName: 'AfterTool', additionalContext: text }
      writeFileSync(join(next, AFTER_TOOL), JSON.stringify({ hookSpecificOutput }))
      writeFileSync(join(next, AFTER_TURN), JSON.stringify({ decision: 'deny', reason: text }))
      renameSync(next, queue)
    },
    hooksRan() {
      look()
      asked.push(...delivered.splice(0))
    },
    modelSpoke() {
      for (const id of asked.splice(0)) push(id, 'applied')
    },
    waiting: () => queued.length,
    stop: () => watcher?.close(),
  }
}

/** So that it is told at once what a hook took. Undefined where the system has no watches left: then the end of the tool tells it. */
function watchIn(folder: string, look: () => void): FSWatcher | undefined {
  try {
    return watch(folder, look)
  } catch (error) {
    if (isErrno(error, 'ENOSPC', 'EMFILE', 'ENFILE')) return undefined
    throw error
  }
}

/** False when it is not there any more. */
function take(path: string, to: string): boolean {
  if (!existsSync(path)) return false
  try {
    renameSync(path, to)
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return false
    throw error
  }
  rmSync(to, { recursive: true, force: true })
  return true
}
