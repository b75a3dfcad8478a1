/** The environment of everything a benchmark starts: what slows every Node process down, or a person set for themselves, is not in it. */
export function benchEnv(): Record<string, string> {
  const { PATH = '', HOME = '/', XDG_CACHE_HOME } = process.env
  return { PATH, HOME, LC_ALL: 'C.UTF-8', ...(XDG_CACHE_HOME ? { XDG_CACHE_HOME } : {}) }
}

/** NODE_EXTRA_CA_CERTS costs every Node 20 process about 32 ms, NODE_OPTIONS anything: our own children must not see them. */
export function scrubEnvironment(): void {
  for (const name of ['NODE_EXTRA_CA_CERTS', 'NODE_OPTIONS', 'NODE_V8_COVERAGE'])
    delete process.env[name]
}
