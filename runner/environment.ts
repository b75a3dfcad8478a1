/** Variables that every agent gets, where they are set. */
const ALLOWED = [
  'PATH',
  'HOME',
  'USER',
  'LOGNAME',
  'SHELL',
  'LANG',
  'LC_ALL',
  'LC_CTYPE',
  'TERM',
  'TZ',
] as const

/** Never passed on, whoever asks: our own secrets, the person's keys, and what makes a process load foreign code. */
const DENIED =
  /^(?:DATABASE_URL|PG[A-Z]+|SSH_.*|GIT_.*|NODE_OPTIONS|LD_.*|DYLD_.*|DISPATCH_.*|TEMPORAL_.*)$/

export interface AgentEnvironmentOptions {
  /** The environment of the worker; only names on the list are read from it. */
  base: Readonly<Record<string, string | undefined>>
  /** A temp folder of this run alone: agents leave sockets and error reports there. */
  tmpdir: string
  /** `Adapter.loginVariables`. */
  loginVariables: readonly string[]
  /** Set besides (a project's or a test's own); the denied names are left out here too. */
  extra?: Readonly<Record<string, string>>
}

/** The whole environment of an agent, built from an allow-list: nothing else is inherited. */
export function agentEnvironment(options: AgentEnvironmentOptions): Record<string, string> {
  const { base, tmpdir, loginVariables, extra = {} } = options
  const env: Record<string, string> = {}
  for (const name of [...ALLOWED, ...loginVariables]) {
    const value = base[name]
    if (value !== undefined && !DENIED.test(name)) env[name] = value
  }
  for (const [name, value] of Object.entries(extra)) if (!DENIED.test(name)) env[name] = value
  return { ...env, TMPDIR: tmpdir }
}
