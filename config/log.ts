import {
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  fstatSync,
  openSync,
  readdirSync,
  readSync,
  statSync,
  truncateSync,
  watch,
} from 'node:fs'
import { join } from 'node:path'
import { StringDecoder } from 'node:string_decoder'
import { type Logger, pino } from 'pino'
import buildRoll from 'pino-roll'

export type Service = 'supervisor' | 'worker' | 'api' | 'runner'

/** Never written, wherever they turn up. */
const SECRETS = [
  'password',
  'token',
  'apiKey',
  'api_key',
  'authorization',
  'cookie',
  'databaseUrl',
  'secret',
]

/** Lines that a full disk did not take are kept up to this much; then the newest are dropped. */
const UNWRITTEN_BYTES = 1_000_000

const ROLL_BYTES = 10 * 1024 * 1024
const ROLL_EVERY_MS = 60_000

export interface LogOptions {
  service: Service
  level: string
  /** Folder for `<service>.<n>.log`: 10 MB each, the newest five are kept. Without it lines go to stdout. */
  dir?: string
}

/** JSON lines, one file per service, rotated, readable by their owner only. */
export async function createLogger({ service, level, dir }: LogOptions): Promise<Logger> {
  const settings = {
    level,
    base: { service },
    redact: SECRETS.flatMap((key) => [key, `*.${key}`]),
    timestamp: pino.stdTimeFunctions.isoTime,
  }
  if (!dir) return pino(settings)
  const stream = await buildRoll({
    ...{
      file: join(dir, service),
      extension: '.log',
      size: '10m',
      limit: { count: 5, removeOtherLogFiles: true },
    },
    ...{ mkdir: true, mode: 0o600, sync: true, maxLength: UNWRITTEN_BYTES },
  })
  // A full disk must not end the process. What could not be written is tried again with the next line; the disk itself
  // is told of where runs wait for it, and writing that here would fail the same way.
  stream.on('error', () => undefined)
  return pino(settings, stream)
}

/**
 * Keeps the files of servers that write by themselves small: one that has grown over 10 MB begins anew, now and then every minute,
 * and one older is kept as `.old`. Returns what ends that.
 */
export function keepRolling(
  files: readonly string[],
  onError: (error: Error) => void,
  everyMs = ROLL_EVERY_MS,
): () => void {
  const roll = () => {
    try {
      for (const file of files) rollOver(file)
    } catch (error) {
      onError(error as Error)
    }
  }
  roll()
  const timer = setInterval(roll, everyMs)
  timer.unref()
  return () => clearInterval(timer)
}

/** Emptied, not renamed: a server that runs has it open, appends to it, and would go on in the old one. */
function rollOver(file: string): void {
  const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0
  if (size <= ROLL_BYTES) return
  copyFileSync(file, `${file}.old`, constants.COPYFILE_FICLONE)
  truncateSync(file)
}

/** Log files of a service, oldest first: the rotated ones, or the single file of Postgres and Temporal. */
export function logFiles(dir: string, service: string): string[] {
  if (!existsSync(dir)) return []
  const number = (name: string) => Number(/\.(\d+)\.log$/.exec(name)?.[1] ?? 0)
  return readdirSync(dir)
    .filter(
      (name) =>
        name.startsWith(`${service}.`) && /^\.(\d+\.)?log$/.test(name.slice(service.length)),
    )
    .sort((a, b) => number(a) - number(b))
    .map((name) => join(dir, name))
}

export interface ReadLogsOptions {
  dir: string
  service: string
  /** Goes on until `signal` aborts, across rotations. */
  follow?: boolean
  signal?: AbortSignal
}

/** Lines of a service's logs, oldest first. Nothing when it never logged. */
export async function* readLogs({
  dir,
  service,
  follow = false,
  signal,
}: ReadLogsOptions): AsyncGenerator<string> {
  const reader = createReader()
  const changes = follow && existsSync(dir) ? watchFolder(dir, signal) : undefined
  for (const file of logFiles(dir, service)) yield* reader.lines(file)
  if (!changes) return
  for await (const _change of changes) {
    for (const file of logFiles(dir, service)) yield* reader.lines(file)
  }
}

/** Remembers how far each file was read; a line is given out only when it is whole. */
function createReader() {
  const places = new Map<string, Place>()
  return {
    *lines(file: string): Generator<string> {
      const fd = openExisting(file)
      if (fd === undefined) return
      try {
        const known = places.get(file)
        // a shorter one has taken its place, as where a server starts a new file
        const place = known && known.offset <= fstatSync(fd).size ? known : newPlace()
        places.set(file, place)
        const buffer = Buffer.alloc(256 * 1024)
        for (;;) {
          const got = readSync(fd, buffer, 0, buffer.length, place.offset)
          if (got === 0) return
          place.offset += got
          const parts = (place.tail + place.decoder.write(buffer.subarray(0, got))).split('\n')
          place.tail = parts.pop() ?? ''
          yield* parts
        }
      } finally {
        closeSync(fd)
      }
    },
  }
}

interface Place {
  offset: number
  /** A line that has no end yet, and of a character that has none the bytes. */
  tail: string
  decoder: StringDecoder
}

const newPlace = (): Place => ({ offset: 0, tail: '', decoder: new StringDecoder('utf8') })

/** Undefined for a file that was rotated away since it was listed. */
function openExisting(file: string): number | undefined {
  try {
    return openSync(file, 'r')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

async function* watchFolder(dir: string, signal?: AbortSignal): AsyncGenerator<void> {
  let wake: (() => void) | undefined
  let changed = true // what came before it was watched is to be read too
  const notice = () => {
    changed = true
    wake?.()
  }
  const watcher = watch(dir, notice)
  signal?.addEventListener('abort', notice)
  try {
    while (!signal?.aborted) {
      if (!changed) {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
      changed = false
      if (!signal?.aborted) yield
    }
  } finally {
    watcher.close()
  }
}
