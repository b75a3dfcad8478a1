import { existsSync, readFileSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'smol-toml'
import type { RunSpec } from '../../contracts/agent.ts'
import { isErrno } from '../is-errno.ts'
import { codexHome } from './codex-home.ts'

/**
 * Settings of every run, over the person's own `config.toml`: nothing but the provider is talked to, no plugin or app joins in, the person's
 * `notify` program is not started, one run is one agent (a sub-agent would take tokens and a place in the pool unseen), and leaves no notes
 * for later ones, which judge it. A goal of Codex's own makes it fail whenever the session goes on (seen with 0.169).
 *
 * `untrusted`: without a word about trust, a thread that may write makes Codex enter the folder as trusted into the person's
 * `config.toml`, and then it obeys the repository's own `.codex/` (model, hooks, sandbox).
 */
export function configFlags(cwd: string): string[] {
  const settings = [
    'analytics.enabled=false',
    'features.plugins=false',
    'features.apps=false',
    'features.multi_agent=false',
    'features.multi_agent_v2=false',
    'features.goals=false',
    'features.memories=false',
    'features.unbounded_connection_retries=false',
    'notify=[]',
    'web_search="disabled"',
    `shell_environment_policy.exclude=${JSON.stringify(KEY_VARIABLES)}`,
    `projects={${JSON.stringify(cwd)}={trust_level="untrusted"}}`,
  ]
  return settings.flatMap((setting) => ['-c', setting])
}

const PLAIN_NAME = /^[\w-]+$/

/**
 * Switches off the person's MCP servers for `codex exec`, which tells nobody which there are: each by its name, since an empty table leaves
 * them all on. By a path where the name can be part of one: to some versions (seen: 0.60) a table is all that there is of each server in it.
 * `problem`: why nobody knows which there are, and so Codex must not be started; it may be able to read what we are not.
 */
export function serverFlags(env: RunSpec['env']): { flags: string[] } | { problem: string } {
  const path = join(codexHome(env), 'config.toml')
  try {
    const { mcp_servers: servers = {} } = parse(readFileSync(path, 'utf8'), {
      integersAsBigInt: 'asNeeded',
    })
    const names = Object.keys(servers)
    const dotted = names.filter((name) => !PLAIN_NAME.test(name))
    const table = dotted.map((name) => `${JSON.stringify(name)}={enabled=false}`).join(',')
    const off = names.filter((name) => PLAIN_NAME.test(name))
    return {
      flags: [
        ...(table === '' ? [] : ['-c', `mcp_servers={${table}}`]),
        ...off.flatMap((name) => ['-c', `mcp_servers.${name}.enabled=false`]),
      ],
    }
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return { flags: [] }
    const [why] = (error as Error).message.split('\n')
    return {
      problem: `Codex was not started, because ${path} cannot be read (${why}), and the MCP servers in it would run unseen: mend it, or update Codex.`,
    }
  }
}

/** The keys by which people log Codex in; its tools do not see them. */
export const KEY_VARIABLES = [
  'CODEX_API_KEY',
  'CODEX_ACCESS_TOKEN',
  'OPENAI_API_KEY',
  'AZURE_OPENAI_API_KEY',
] as const

/** The oldest app-server that was seen to take a permission profile as that of today does. */
export const LEAST_PROFILES = [0, 140, 0] as const
const PROFILE = 'dispatch-run'

/**
 * The sandbox of a run, enforced by Codex with bubblewrap, Landlock or Seatbelt: `read` may look at everything and write nothing, `write`
 * may write in the working folder and the run's own TMPDIR. Neither reaches a network, not even this machine's. Git's own files are read-only
 * in both, so what an agent did is committed by Dispatch.
 *
 * By a profile, because a command that the person allowed for good (`rules/*.rules`) is run outside every sandbox in which all may be read.
 * So the login may not: that is no command's business anyway. Older versions know no profiles.
 *
 * Inside a sandbox of ours Codex cannot make one of its own (no second `/proc`), and needs none: files and network are what ours grants, and
 * a stage that may only read has its folder mounted so.
 */
export function fenceOfThread(spec: RunSpec, knowsProfiles: boolean) {
  if (spec.sandbox || !knowsProfiles) return { fence: { sandbox: sandboxMode(spec) }, config: {} }
  const login = withoutLinks(join(withoutLinks(codexHome(spec.env)), 'auth.json'))
  const isRead = spec.access === 'read'
  const filesystem = { [login]: 'deny', ...(isRead ? {} : { ':slash_tmp': 'read' }) }
  const profile = { extends: isRead ? ':read-only' : ':workspace', filesystem }
  return {
    fence: { permissions: PROFILE },
    config: { default_permissions: PROFILE, permissions: { [PROFILE]: profile } },
  }
}

/**
 * What is said again with each turn of a thread that has not that profile: it knows none, or it got another one in its place, because a
 * company lets nobody have any but its own; that one may well let a stage write that may only read. `active`: the one that it has.
 */
export const fenceOfTurn = (
  spec: RunSpec,
  active: string | undefined,
): { sandboxPolicy?: object } => (active === PROFILE ? {} : { sandboxPolicy: policyOf(spec) })

/** Bubblewrap lays nothing over a link: no command would run. */
const withoutLinks = (path: string) => (existsSync(path) ? realpathSync(path) : path)

function policyOf({ access, sandbox }: RunSpec): object {
  if (sandbox) return { type: 'externalSandbox', networkAccess: 'enabled' }
  if (access === 'read') return { type: 'readOnly', networkAccess: false }
  return {
    type: 'workspaceWrite',
    writableRoots: [],
    networkAccess: false,
    excludeTmpdirEnvVar: false,
    excludeSlashTmp: true,
  }
}

export function sandboxMode({ access, sandbox }: Pick<RunSpec, 'access' | 'sandbox'>) {
  if (sandbox) return 'danger-full-access'
  return access === 'read' ? 'read-only' : 'workspace-write'
}

/** What a run is refused: it asks only for what its sandbox does not allow, and nobody is there to be asked. */
export function refusalOf(method: string): { answer: object; what: string } | undefined {
  switch (method) {
    case 'item/commandExecution/requestApproval':
      return { answer: { decision: 'decline' }, what: 'a command outside the sandbox' }
    case 'item/fileChange/requestApproval':
      return { answer: { decision: 'decline' }, what: 'a change outside the sandbox' }
    case 'item/permissions/requestApproval':
      return { answer: { permissions: {}, scope: 'turn' }, what: 'more permissions' }
    case 'mcpServer/elicitation/request':
      return { answer: { action: 'decline', content: null }, what: 'a question of a server' }
    case 'item/tool/requestUserInput':
      return { answer: { answers: {} }, what: 'a question to the person' }
    default:
      return undefined
  }
}
