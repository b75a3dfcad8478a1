import type { ChildProcessByStdio } from 'node:child_process'
import type { Readable, Writable } from 'node:stream'

/** What a name stands for in a repository. */
export interface FoundObject {
  sha: string
  type: string
}

/**
 * One `git cat-file --batch-command` that answers questions about one repository for as long as they come: a question
 * costs a pipe's round trip instead of a process. It sees refs and objects that are written while it lives; the
 * repository's config and alternates it reads once, at its start.
 */
export interface ObjectReader {
  /** Undefined when there is no such object. */
  look(name: string): Promise<FoundObject | undefined>
  /** The object's content as it is stored; undefined when it is not there. */
  read(name: string): Promise<Buffer | undefined>
  close(): void
}

export type ReaderProcess = ChildProcessByStdio<Writable, Readable, Readable>

interface Question {
  contents: boolean
  found: (answer: { object: FoundObject; content: Buffer } | undefined) => void
  failed: (error: Error) => void
}

/** An answer is a look into files: one that takes longer will not come (a dead network disk). */
const ANSWER_MS = 60_000
const NEWLINE = 0x0a
const NOTHING = Buffer.alloc(0)

/** `start` starts the process; `onEnd` is called once it answers no more. */
export function createObjectReader(start: () => ReaderProcess, onEnd: () => void): ObjectReader {
  const child = start()
  const waiting: Question[] = []
  let rest: Buffer = NOTHING
  let stderr = ''
  let over: Error | undefined
  let stuck: NodeJS.Timeout | undefined

  /** Its pipes keep this process alive only while an answer is due. */
  const hold = (wanted: boolean) => {
    for (const handle of [child, child.stdin, child.stdout, child.stderr] as {
      ref?(): void
      unref?(): void
    }[])
      wanted ? handle.ref?.() : handle.unref?.()
  }
  const end = (error: Error) => {
    if (over) return
    over = error
    clearTimeout(stuck)
    onEnd()
    for (const { failed } of waiting.splice(0)) failed(error)
  }
  child.once('error', end)
  child.once('close', (code) =>
    end(new Error(`git cat-file ended (${code}): ${stderr.trim().slice(0, 500)}`)),
  )
  child.stdin.on('error', () => undefined) // `close` says why
  child.stderr.on('data', (chunk: Buffer) => {
    stderr = (stderr + chunk.toString('utf8')).slice(-2000)
  })
  child.stdout.on('data', (chunk: Buffer) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    while (answerNext());
    stuck?.refresh()
    if (waiting.length > 0) return
    clearTimeout(stuck)
    stuck = undefined
    hold(false)
  })
  hold(false)

  /** Answers the first question if its answer has arrived whole. */
  function answerNext(): boolean {
    const [question] = waiting
    const line = rest.indexOf(NEWLINE)
    if (!question || line === -1) return false
    const header = rest.subarray(0, line).toString('utf8')
    const [, sha, type, size] = /^([0-9a-f]{40,64}) (\w+) (\d+)$/.exec(header) ?? []
    let next = line + 1
    let content: Buffer = NOTHING
    if (sha && question.contents) {
      const after = next + Number(size)
      if (rest.length <= after) return false
      content = Buffer.from(rest.subarray(next, after))
      next = after + 1
    }
    rest = rest.subarray(next)
    waiting.shift()
    question.found(sha && type ? { object: { sha, type }, content } : undefined)
    return true
  }

  const ask = (command: string, name: string) =>
    new Promise<{ object: FoundObject; content: Buffer } | undefined>((found, failed) => {
      if (over) return failed(over)
      if (/[\n\0]/.test(name)) return failed(new Error(`not a name: ${JSON.stringify(name)}`))
      waiting.push({ contents: command === 'contents', found, failed })
      hold(true)
      stuck ??= setTimeout(() => {
        child.kill('SIGKILL')
        end(new Error('git cat-file does not answer'))
      }, ANSWER_MS)
      child.stdin.write(`${command} ${name}\n`)
    })
  return {
    look: async (name) => (await ask('info', name))?.object,
    read: async (name) => (await ask('contents', name))?.content,
    close: () => void child.stdin.end(),
  }
}
