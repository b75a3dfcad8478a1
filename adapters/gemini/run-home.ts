import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import type { RunSpec } from '../../contracts/agent.ts'
import { NO_PROGRAMS_VARIABLES } from '../git-reads.ts'
import { nameOfFolder } from '../sandbox/of-folder.ts'
import { HOOKS } from './corrections.ts'
import { putGitInFront } from './git-in-front.ts'
import { policyOf } from './policy.ts'
import { readEnvFile, readSettingsFile, section } from './settings-file.ts'

type Env = Readonly<Record<string, string | undefined>>

/** Names of the variables by which people log Gemini CLI in, or lead it to their own project or gateway. */
export const LOGIN_VARIABLES = [
  'GEMINI_API_KEY',
  'GEMINI_CLI_HOME',
  'GEMINI_MODEL',
  'GOOGLE_API_KEY',
  'GOOGLE_APPLICATION_CREDENTIALS',
  'GOOGLE_CLOUD_LOCATION',
  'GOOGLE_CLOUD_PROJECT',
  'GOOGLE_GEMINI_BASE_URL',
  'GOOGLE_GENAI_API_VERSION',
  'GOOGLE_GENAI_USE_GCA',
  'GOOGLE_GENAI_USE_VERTEXAI',
  'GOOGLE_VERTEX_BASE_URL',
  'CODE_ASSIST_ENDPOINT',
  'HTTPS_PROXY',
  'HTTP_PROXY',
  'NO_PROXY',
  'NODE_EXTRA_CA_CERTS',
] as const

/** The person's own `.gemini`. */
export const personsFolder = ({ GEMINI_CLI_HOME, HOME }: Env): string =>
  join(GEMINI_CLI_HOME || HOME || '/nonexistent', '.gemini')

/** The login variables of the run, those of the person's own `.env` files included. */
export function loginOf(env: Env): Record<string, string | undefined> {
  const folder = personsFolder(env)
  const filed = readEnvFile([join(folder, '.env'), join(folder, '..', '.env')])
  return Object.fromEntries(LOGIN_VARIABLES.map((name) => [name, env[name] ?? filed[name]]))
}

/** How the person logs in: as their settings say, else by what their variables are for. Undefined when neither says. */
export function authTypeOf(env: Env): string | undefined {
  const settings = readSettingsFile(join(personsFolder(env), 'settings.json'))
  const { selectedType } = section(section(settings, 'security'), 'auth')
  if (typeof selectedType === 'string') return selectedType
  const login = loginOf(env)
  if (login['GOOGLE_GENAI_USE_GCA'] === 'true') return 'oauth-personal'
  if (login['GOOGLE_GENAI_USE_VERTEXAI'] === 'true') return 'vertex-ai'
  return login['GEMINI_API_KEY'] ? 'gemini-api-key' : undefined
}

export interface RunHome {
  /** To be set beside the spec's environment. */
  env: Record<string, string>
  args: string[]
  /** Where hooks and this adapter meet. */
  exchange: string
  /** Folders of projects, in which the sessions are. */
  sessions: string
}

/** What the CLI needs of the person's own folder, and may renew: logins, and a program that older ones fetch. */
const LINKED = [
  'gemini-credentials.json',
  'google_accounts.json',
  'installation_id',
  'oauth_creds.json',
  'tmp/bin',
] as const
/** What the person tells it for every project. A copy: its tools may write there, and a shell could through a link. */
const INSTRUCTIONS = 'GEMINI.md'
/** The CLI's list of the names under which it keeps what belongs to a folder. */
const PROJECTS = 'projects.json'

/** Below the person's folder: where the CLI keeps what belongs to a working folder, by the name that it has there, else one that no other gets. */
export function projectOf(env: Env, cwd: string): string {
  const known = section(readSettingsFile(join(personsFolder(env), PROJECTS)), 'projects')
  const name = known[cwd] ?? known[withoutLinks(cwd)]
  return join(
    'tmp',
    typeof name === 'string' && /^[a-z0-9-]+$/.test(name) ? name : nameOfFolder(cwd),
  )
}

/** As a process sees the folder that it is in. */
const withoutLinks = (cwd: string) => (existsSync(cwd) ? realpathSync(cwd) : cwd)

/**
 * Makes a home of this run alone in its temp folder, with links to the person's login and the folder's sessions. Settings can be given in no other
 * way: those of the system count only when root owns them, and a project's own are never read (`GEMINI_CLI_TRUST_WORKSPACE=false`): they
 * bring hooks, servers, and variables that lead a key elsewhere. In a folder that is not trusted only an extension's hooks run, so ours
 * are one, and only the policy lets tools run. A project that is trusted in the person's own terminal is not trusted here.
 */
export function makeRunHome(spec: RunSpec): RunHome {
  const folder = mkdtempSync(join(spec.env['TMPDIR'] ?? tmpdir(), 'gemini-'))
  const own = join(folder, '.gemini')
  const extension = join(own, 'extensions', 'dispatch')
  const exchange = join(folder, 'exchange')
  for (const made of [join(extension, 'hooks'), exchange]) mkdirSync(made, { recursive: true })
  const persons = personsFolder(spec.env)
  keepSessions(spec, own)
  for (const name of LINKED)
    if (existsSync(join(persons, name))) symlinkSync(join(persons, name), join(own, name))
  if (existsSync(join(persons, INSTRUCTIONS)))
    copyFileSync(join(persons, INSTRUCTIONS), join(own, INSTRUCTIONS))
  const policy = join(folder, 'policy.toml')
  writeFileSync(policy, policyOf(spec.access))
  writeJson(join(own, 'settings.json'), settingsFor(spec))
  writeJson(join(extension, 'gemini-extension.json'), { name: 'dispatch', version: '1.0.0' })
  writeJson(join(extension, 'hooks', 'hooks.json'), { hooks: HOOKS(exchange) })
  return {
    env: {
      ...defined(loginOf(spec.env)),
      GEMINI_CLI_HOME: folder,
      // otherwise it starts itself again as a child and swallows signals
      GEMINI_CLI_NO_RELAUNCH: 'true',
      GEMINI_CLI_TRUST_WORKSPACE: 'false',
      // the policy cannot change a command, and what a shell tool runs in may be any folder of the project
      ...(spec.access === 'read' ? NO_PROGRAMS_VARIABLES : {}),
      ...putGitInFront(folder, spec.env),
    },
    args: ['--approval-mode', 'default', '--admin-policy', policy],
    exchange,
    sessions: join(persons, 'tmp'),
  }
}

/**
 * Of all that the CLI keeps of a folder only the sessions outlive the run. Whatever else an agent puts there ends with it: notes for later
 * runs, which its instructions ask for, would be read by those that judge this one. It sees no other folders, and so cannot tell which names
 * are taken: it is told its own. By the file beside the sessions the person's own CLI finds them.
 */
function keepSessions({ env, cwd }: RunSpec, own: string): void {
  const project = projectOf(env, cwd)
  const persons = join(personsFolder(env), project)
  const path = withoutLinks(cwd)
  for (const made of [join(persons, 'chats'), join(own, project)])
    mkdirSync(made, { recursive: true })
  symlinkSync(join(persons, 'chats'), join(own, project, 'chats'))
  const owner = join(persons, '.project_root')
  if (!existsSync(owner)) writeFileSync(owner, path)
  // a sandbox may show the folder by the path that it was given
  const name = basename(project)
  writeJson(join(own, PROJECTS), { projects: { [cwd]: name, [path]: name } })
}

/** Few retries, because Dispatch decides about waiting; no update in the middle of a run; no telemetry; sessions are kept. */
function settingsFor(spec: RunSpec): Record<string, unknown> {
  const persons = readSettingsFile(join(personsFolder(spec.env), 'settings.json'))
  const { modelConfigs, billing } = persons
  const { name, compressionThreshold } = section(persons, 'model')
  const { dnsResolutionOrder } = section(persons, 'advanced')
  const selectedType = authTypeOf(spec.env)
  return {
    modelConfigs,
    billing,
    model: { name, compressionThreshold },
    security: {
      auth: { ...section(section(persons, 'security'), 'auth'), selectedType },
      folderTrust: { enabled: false },
    },
    general: {
      maxAttempts: 2,
      enableAutoUpdate: false,
      enableAutoUpdateNotification: false,
      sessionRetention: { enabled: false },
    },
    advanced: { dnsResolutionOrder, ignoreLocalEnv: true },
    // else any file with a name like a word after an `@` of the prompt is read in
    context: { fileFiltering: { enableRecursiveFileSearch: false } },
    privacy: { usageStatisticsEnabled: false },
    telemetry: { enabled: false },
    hooksConfig: { enabled: true },
  }
}

const writeJson = (path: string, value: unknown) => writeFileSync(path, JSON.stringify(value))

const defined = (all: Record<string, string | undefined>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined),
  )
