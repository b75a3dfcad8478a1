import {
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readlinkSync,
  realpathSync,
} from 'node:fs'
import { delimiter, dirname, isAbsolute, join, relative } from 'node:path'
import type { OwnFolder, Sandbox } from '../../contracts/agent.ts'
import { isProgram } from '../find-program.ts'
import { nameOfFolder } from './of-folder.ts'

/** Where a sandbox finds the gate to the network. */
export const GATE_INSIDE = '/run/dispatch-gate'

export interface Command {
  command: string
  args: readonly string[]
  cwd: string
  /** `HOME` and `TMPDIR` are folders of the run; whatever else is in it goes to the command as it is. */
  env: Readonly<Record<string, string>>
}

/** Nothing of the machine's other namespaces; the whole tree dies with whoever started it. */
const NAMESPACES = [
  ...['--unshare-user', '--unshare-pid', '--unshare-ipc', '--unshare-uts', '--unshare-net'],
  ...['--die-with-parent', '--cap-drop', 'ALL'],
]
const SYSTEM = ['/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32']
/** Of /etc only what programs look up: users, names, certificates, and where libraries and alternatives are. */
const LOOKED_UP = [
  ...[
    'passwd',
    'group',
    'nsswitch.conf',
    'hosts',
    'host.conf',
    'gai.conf',
    'services',
    'protocols',
  ],
  ...['resolv.conf', 'localtime', 'timezone', 'os-release', 'debian_version', 'mime.types'],
  ...['ld.so.cache', 'ld.so.conf', 'ld.so.conf.d', 'alternatives', 'terminfo', 'inputrc'],
  ...['ssl', 'pki', 'ca-certificates', 'ca-certificates.conf', 'crypto-policies'],
  ...['python3', 'perl', 'java', 'fonts', 'static'],
].map((name) => `/etc/${name}`)

/** Flags of bubblewrap (`man bwrap`) for a command that sees nothing but the system's programs; also what a probe tries. */
export function systemArguments(): string[] {
  return [
    ...NAMESPACES,
    ...['--ro-bind', '/usr', '/usr'],
    ...SYSTEM.flatMap(systemFolder),
    ...LOOKED_UP.flatMap((path) => ['--ro-bind-try', path, path]),
    ...['--proc', '/proc', '--dev', '/dev', '--tmpfs', '/tmp', '--tmpfs', '/var/tmp'],
  ]
}

/**
 * The whole command line after `bwrap`: later mounts lie over earlier ones. `gate`: the socket of the run's gate, where it has one.
 * Makes the private folders of the run below its TMPDIR, which goes with the run.
 */
export function bwrapArguments(
  given: Command,
  sandbox: Sandbox,
  gate?: { socket: string; relay: string } | undefined,
): string[] {
  const { env, cwd } = given
  const { HOME: home, TMPDIR: tmp } = env
  if (!tmp || !isAbsolute(tmp)) throw new Error('a sandbox needs the run’s own TMPDIR')
  const privately = mkdtempSync(join(tmp, 'private-'))
  const apart = nameOfFolder(cwd)
  const folders: readonly OwnFolder[] = [
    ...(home && home !== '/' ? [{ folder: home }] : []),
    ...(sandbox.needs?.own ?? []),
  ]
  const { programs = [] } = sandbox.needs ?? {}
  const tools = [
    process.execPath,
    given.command,
    ...programs,
    ...programsNamed('node', env['PATH']),
  ]
  return [
    ...systemArguments(),
    ...merged(folders).flatMap((own, index) =>
      ownFolder(own, { instead: join(privately, String(index)), apart }),
    ),
    ...[...new Set(tools.flatMap((tool) => toolFolders(tool, home)))].flatMap(readOnly),
    ...['--bind', tmp, tmp],
    ...sandbox.readOnly.flatMap(readOnly),
    ...sandbox.writable.flatMap((path) => ['--bind', path, path]),
    // what is over a writable folder, such as a worktree's `.git`
    ...sandbox.kept.flatMap(readOnly),
    ...(gate ? ['--bind', gate.socket, GATE_INSIDE, ...readOnly(gate.relay)] : []),
    ...['--chdir', cwd, '--', given.command, ...given.args],
  ]
}

const readOnly = (path: string) => ['--ro-bind', path, path]

/** Since the merge of /usr these are links in most systems. */
function systemFolder(path: string): string[] {
  const entry = lstatSync(path, { throwIfNoEntry: false })
  if (!entry) return []
  return entry.isSymbolicLink() ? ['--symlink', readlinkSync(path), path] : readOnly(path)
}

/** One entry a folder: the home may itself be an agent's own folder. */
function merged(folders: readonly OwnFolder[]): OwnFolder[] {
  const all = new Map<string, OwnFolder>()
  for (const own of folders) {
    const before = all.get(own.folder)
    all.set(own.folder, {
      folder: own.folder,
      copied: [...(before?.copied ?? []), ...(own.copied ?? [])],
      shared: [...(before?.shared ?? []), ...(own.shared ?? [])],
      apart: [...(before?.apart ?? []), ...(own.apart ?? [])],
      sharedFiles: [...(before?.sharedFiles ?? []), ...(own.sharedFiles ?? [])],
      readOnly: [...(before?.readOnly ?? []), ...(own.readOnly ?? [])],
    })
  }
  // a folder goes before those inside it
  return [...all.values()].sort((a, b) => a.folder.length - b.folder.length)
}

/** `instead`: what is seen in its place. `apart`: the name of the working folder's own part. */
function ownFolder(
  own: OwnFolder,
  { instead, apart }: { instead: string; apart: string },
): string[] {
  const { folder, copied = [], shared = [], sharedFiles = [], readOnly: read = [] } = own
  const parts = (own.apart ?? []).map((name) => [join(folder, name, apart), join(folder, name)])
  mkdirSync(instead, { recursive: true, mode: 0o700 })
  const isThere = (name: string) => existsSync(join(folder, name))
  for (const name of copied.filter(isThere)) copyFileSync(join(folder, name), join(instead, name))
  const kept = [...shared.map((name) => join(folder, name)), ...parts.map(([part = '']) => part)]
  for (const path of kept) mkdirSync(path, { recursive: true, mode: 0o700 })
  const writable = [...shared, ...sharedFiles.filter(isThere)].map((name) => join(folder, name))
  return [
    ...['--bind', instead, folder],
    ...writable.flatMap((path) => ['--bind', path, path]),
    // some of them are inside what is shared
    ...parts.flatMap((places) => ['--bind', ...places]),
    ...read.filter(isThere).flatMap((name) => readOnly(join(folder, name))),
  ]
}

function programsNamed(name: string, path = ''): string[] {
  const found = path
    .split(delimiter)
    .filter(isAbsolute)
    .map((folder) => join(folder, name))
    .find(isProgram)
  return found === undefined ? [] : [found]
}

/** What a program needs to be started by its path: its own folder, where it really is, and the packages around that. */
function toolFolders(program: string, home: string | undefined): string[] {
  if (!isAbsolute(program) || !existsSync(program)) return []
  const real = realpathSync(program)
  const packages = real.split('/node_modules/')[0]
  const places = [
    dirname(program),
    real.includes('/node_modules/') ? `${packages}/node_modules` : dirname(real),
    ...(real.startsWith('/nix/store/') ? ['/nix/store'] : []),
    // a version manager's Node has its library beside its `bin`
    ...(real.endsWith('/bin/node') ? [dirname(dirname(real))] : []),
  ]
  return places.map((place) => (isTooMuch(place, home) ? program : place)).filter(isNoSystem)
}

/** A program that lies in the home itself does not bring the home along. */
const isTooMuch = (place: string, home: string | undefined) =>
  place === '/' || (home !== undefined && !relative(place, home).startsWith('..'))

const isNoSystem = (place: string) =>
  !['/usr', ...SYSTEM].some((folder) => place === folder || place.startsWith(`${folder}/`))
