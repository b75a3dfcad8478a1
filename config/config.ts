import { lstatSync, readFileSync, statSync } from 'node:fs'
import { userInfo } from 'node:os'
import { parse, TomlError } from 'smol-toml'
import { z } from 'zod'
import type { AcpAgent } from '../contracts/agent.ts'
import { defaultHome, type HomePaths, homePaths, requireFolder } from './home.ts'
import { withSecretFiles } from './secret-files.ts'

export const DEFAULT_PORT = 4400

/** Something in the configuration is wrong; the message names file or variable, and what to do. Exit code 78. */
export class ConfigError extends Error {
  readonly exitCode = 78
}

function whole(min: number, max: number) {
  const error = `must be a whole number from ${min} to ${max}`
  // Number() takes more for one: true, a list of one, spaces
  return z.preprocess(
    (value) => (typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value),
    z.number(error).int(error).min(min, error).max(max, error),
  )
}
const port = whole(1, 65_535)
const count = whole(1, 100)
const megabytes = whole(0, 1_000_000_000)
const umask = z
  .string()
  .regex(/^0?[0-7]{1,3}$/, 'must be an octal number from 0 to 777, such as 022')
  .transform((text) => Number.parseInt(text, 8))
const logLevel = z.enum(['trace', 'debug', 'info', 'warn', 'error', 'silent'])
const postgresUrl = z
  .string()
  .regex(/^postgres(ql)?:\/\//, 'must start with postgres:// or postgresql://')
  .refine((text) => URL.canParse(withHost(text)), 'is not a URL: %-encode what is special in it')
/** Where Postgres is reached by a socket there is none, as in `postgres://me@/mine?host=/run/postgresql`: no URL to others. */
const withHost = (url: string) => url.replace('@/', '@localhost/')
const address = z.string().regex(/^[^\s/]+:\d{1,5}$/, 'must be host:port')

const homeFolder = z
  .string()
  .regex(/^(?!\/)(?!.*\.\.)[\w.][\w./-]*$/, 'must be a folder below the home')

/** An agent that speaks the Agent Client Protocol; the section's name is the agent's, after `acp:`. */
const acpAgent = z.strictObject({
  title: z.string().min(1).max(60).optional(),
  command: z.string().min(1),
  args: z.array(z.string()).optional(),
  env: z.array(z.string().regex(/^[A-Za-z_]\w*$/, 'must be the name of a variable')).optional(),
  /** For a sandbox: whom it talks to, and which folders of the home are its own, wholly or for each working folder apart. */
  hosts: z
    .array(z.string().regex(/^[a-z0-9.-]+(:\d{1,5})?$/, 'must be host or host:port'))
    .optional(),
  home: z.array(homeFolder).optional(),
  sessions: z.array(homeFolder).optional(),
})

const fileSchema = z.strictObject({
  port: port.optional(),
  host: z.string().min(1).optional(),
  database_url: postgresUrl.optional(),
  temporal: z
    .strictObject({
      address: address.optional(),
      namespace: z.string().min(1).optional(),
      task_queue: z.string().min(1).optional(),
      tls: z.boolean().optional(),
      api_key: z.string().min(1).optional(),
      server_name: z.string().optional(),
      ca_file: z.string().optional(),
      cert_file: z.string().optional(),
      key_file: z.string().optional(),
      port: port.optional(),
    })
    .optional(),
  log: z.strictObject({ level: logLevel.optional() }).optional(),
  min_free_mb: megabytes.optional(),
  acp: z
    .record(
      z.string().regex(/^[a-z0-9][a-z0-9-]{0,40}$/, 'must be a short name in lower case'),
      acpAgent,
    )
    .optional(),
  pool: z
    .strictObject({ max_concurrent: count.optional(), max_per_goal: count.optional() })
    .optional(),
})

const envSchema = z.object({
  DISPATCH_PORT: port.optional(),
  DISPATCH_HOST: z.string().optional(),
  DISPATCH_LOG_LEVEL: logLevel.optional(),
  DISPATCH_MAX_CONCURRENT: count.optional(),
  DISPATCH_MAX_PER_GOAL: count.optional(),
  DISPATCH_MIN_FREE_MB: megabytes.optional(),
  DISPATCH_UMASK: umask.optional(),
  DATABASE_URL: postgresUrl.optional(),
  DATABASE_PASSWORD: z.string().optional(),
  DISPATCH_LOG_TO: z.enum(['files', 'stdout']).optional(),
  DISPATCH_SPAWNER_SERVICE: z.stringbool().optional(),
  TEMPORAL_ADDRESS: address.optional(),
  TEMPORAL_NAMESPACE: z.string().optional(),
  TEMPORAL_TASK_QUEUE: z.string().optional(),
  TEMPORAL_API_KEY: z.string().optional(),
  TEMPORAL_TLS: z.stringbool().optional(), // Boolean('false') is true
  TEMPORAL_TLS_SERVER_NAME: z.string().optional(),
  TEMPORAL_TLS_CA_FILE: z.string().optional(),
  TEMPORAL_TLS_CERT_FILE: z.string().optional(),
  TEMPORAL_TLS_KEY_FILE: z.string().optional(),
  DISPATCH_TEMPORAL_PORT: port.optional(),
  DISPATCH_UI: z.stringbool().optional(),
  DISPATCH_WORKER_METRICS_HOST: z.string().optional(),
  DISPATCH_WORKER_METRICS_PORT: whole(0, 65_535).optional(),
  TEMPORAL_UI_URL: z.url().optional(),
})

export interface TemporalConfig {
  /** Undefined: the supervisor starts a dev server. */
  address: string | undefined
  namespace: string
  /** Undefined: that of the database. Who names one names the same to worker and API, and to no other installation of the namespace. */
  taskQueue: string | undefined
  tls: boolean | { serverName?: string; ca?: Buffer; cert?: Buffer; key?: Buffer }
  apiKey: string | undefined
  /** Address of Temporal's own UI, for links; the supervisor tells it. */
  uiUrl: string | undefined
  /** Wanted port of the dev server. */
  devPort: number
}

export interface Config {
  home: HomePaths
  /** Where the API listens; loopback unless somebody says otherwise. */
  host: string
  port: number
  /** Where the worker's Prometheus metrics are: loopback unless somebody says otherwise; port 0 is any free one. */
  workerMetricsHost: string
  workerMetricsPort: number
  /** Worker: have runs started by the home's spawner service, as in containers. */
  spawnerService: boolean
  /** Whether the API serves the web UI. */
  ui: boolean
  /** Undefined: the supervisor starts the embedded Postgres. */
  databaseUrl: string | undefined
  temporal: TemporalConfig
  logLevel: z.infer<typeof logLevel>
  /** Worker and API: rotated files in the home, or standard output, for whoever collects it there. */
  logTo: 'files' | 'stdout'
  pool: { maxConcurrent: number; maxPerGoal: number }
  /** No run is started while less than this many MiB are free on the home's disk; undefined is the built-in rule. */
  minFreeMb: number | undefined
  /** Of what is written in a person's repository; undefined is that of the process. The supervisor tells the one that it was started with. */
  umask: number | undefined
  /** `[acp.<name>]`: a program that others name is run as the person, so only the person's own file may. */
  acpAgents: Readonly<Record<string, AcpAgent>>
  /** `PATH`, and the folder for downloads that homes share. */
  path: string
  xdgCacheHome: string | undefined
}

/** What command-line options may override, already named for people in `source` of an error. */
export interface ConfigFlags {
  home?: string | undefined
  port?: string | number | undefined
  temporalPort?: string | number | undefined
  logLevel?: string | undefined
}

type Env = Record<string, string | undefined>

/** Reads the configuration once: flags, then environment, then the home's `config.toml`. */
export function loadConfig(env: Env, flags: ConfigFlags = {}): Config {
  const home = homePaths(flags.home || env['DISPATCH_HOME'] || homeOfUser(env))
  requireFolder(home.root)
  const vars = check(
    envSchema,
    withoutEmpty(secretsOf(env)),
    (key) => `environment variable ${key}`,
  )
  const user = readToml(home.configFile, fileSchema)
  const options = check(
    z.object({
      port: port.optional(),
      temporalPort: port.optional(),
      logLevel: logLevel.optional(),
    }),
    { port: flags.port, temporalPort: flags.temporalPort, logLevel: flags.logLevel },
    (key) => `option --${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`,
  )
  return {
    home,
    host: vars.DISPATCH_HOST ?? user.host ?? '127.0.0.1',
    port: options.port ?? vars.DISPATCH_PORT ?? user.port ?? DEFAULT_PORT,
    workerMetricsHost: vars.DISPATCH_WORKER_METRICS_HOST ?? '127.0.0.1',
    workerMetricsPort: vars.DISPATCH_WORKER_METRICS_PORT ?? 9464,
    spawnerService: vars.DISPATCH_SPAWNER_SERVICE ?? false,
    ui: vars.DISPATCH_UI ?? true,
    databaseUrl: withPassword(vars.DATABASE_URL ?? user.database_url, vars.DATABASE_PASSWORD),
    temporal: temporalConfig(vars, user.temporal ?? {}, options.temporalPort),
    logLevel: options.logLevel ?? vars.DISPATCH_LOG_LEVEL ?? user.log?.level ?? 'info',
    logTo: vars.DISPATCH_LOG_TO ?? 'files',
    pool: {
      maxConcurrent: vars.DISPATCH_MAX_CONCURRENT ?? user.pool?.max_concurrent ?? 3,
      maxPerGoal: vars.DISPATCH_MAX_PER_GOAL ?? user.pool?.max_per_goal ?? 2,
    },
    minFreeMb: vars.DISPATCH_MIN_FREE_MB ?? user.min_free_mb,
    umask: vars.DISPATCH_UMASK,
    acpAgents: user.acp ?? {},
    path: env['PATH'] ?? '',
    xdgCacheHome: env['XDG_CACHE_HOME'] || undefined,
  }
}

/** The configuration of this process. Throws ConfigError, also where the system does not know its user. */
export function processConfig(flags: ConfigFlags = {}): Config {
  requireUser()
  return loadConfig(process.env, flags)
}

/** The environment of this process, for handing on to children; secrets that come from files are read. Throws ConfigError. */
export const processEnv = (): Env => secretsOf(process.env)

function secretsOf(env: Env): Env {
  try {
    return withSecretFiles(env)
  } catch (error) {
    throw new ConfigError((error as Error).message, { cause: error })
  }
}

/** The password goes apart from the URL where it comes from a file. */
function withPassword(url: string | undefined, password: string | undefined): string | undefined {
  if (!url || !password) return url
  const parsed = new URL(withHost(url))
  parsed.password = encodeURIComponent(password)
  return parsed.href
}

function temporalConfig(
  vars: z.infer<typeof envSchema>,
  file: NonNullable<z.infer<typeof fileSchema>['temporal']>,
  flagPort: number | undefined,
): TemporalConfig {
  const serverName = vars.TEMPORAL_TLS_SERVER_NAME ?? file.server_name
  const ca = pem(vars.TEMPORAL_TLS_CA_FILE ?? file.ca_file)
  const cert = pem(vars.TEMPORAL_TLS_CERT_FILE ?? file.cert_file)
  const key = pem(vars.TEMPORAL_TLS_KEY_FILE ?? file.key_file, { secret: true })
  if (!cert !== !key)
    throw new ConfigError(
      'TEMPORAL_TLS_CERT_FILE and TEMPORAL_TLS_KEY_FILE belong together: set both or none',
    )
  const custom = {
    ...(serverName ? { serverName } : {}),
    ...(ca ? { ca } : {}),
    ...(cert && key ? { cert, key } : {}),
  }
  return {
    address: vars.TEMPORAL_ADDRESS ?? file.address,
    namespace: vars.TEMPORAL_NAMESPACE ?? file.namespace ?? 'default',
    taskQueue: vars.TEMPORAL_TASK_QUEUE ?? file.task_queue,
    tls: Object.keys(custom).length > 0 ? custom : (vars.TEMPORAL_TLS ?? file.tls ?? false),
    apiKey: vars.TEMPORAL_API_KEY ?? file.api_key,
    uiUrl: vars.TEMPORAL_UI_URL,
    devPort: flagPort ?? vars.DISPATCH_TEMPORAL_PORT ?? file.port ?? 7233,
  }
}

/** Postgres, git and Node itself ask for the name of a process's user, and a container may be started with a number alone. */
function requireUser(): void {
  try {
    userInfo()
  } catch (error) {
    throw new ConfigError(
      `the user of this process (uid ${process.getuid?.()}) is not in the system's list, /etc/passwd: add it there, or start Dispatch as one that is`,
      { cause: error },
    )
  }
}

function homeOfUser(env: Env): string {
  if (!env['HOME'] && process.platform !== 'win32') {
    throw new ConfigError('HOME is not set, so there is no ~/.dispatch: set HOME or DISPATCH_HOME')
  }
  return defaultHome()
}

function pem(file: string | undefined, { secret = false } = {}): Buffer | undefined {
  if (!file) return undefined
  try {
    if (secret && (statSync(file).mode & 0o077) !== 0) {
      throw new ConfigError(`${file} is a private key that others may read: chmod 600 ${file}`)
    }
    return readFileSync(file)
  } catch (error) {
    if (error instanceof ConfigError) throw error
    throw new ConfigError(`${file} cannot be read: ${(error as Error).message}`, { cause: error })
  }
}

function readToml<T extends z.ZodType>(file: string, schema: T): z.output<T> {
  const text = readTrusted(file)
  let data: unknown
  try {
    data = parse(text)
  } catch (error) {
    if (!(error instanceof TomlError)) throw error
    const reason = error.message.split('\n')[0]
    throw new ConfigError(
      `${file}:${error.line}:${error.column}: ${reason}: correct this line or remove it`,
    )
  }
  return check(schema, data, (key) => `${file}: ${key}`)
}

/** Content of a config file, '' when there is none. Refused when somebody else could have written it. */
function readTrusted(file: string): string {
  const entry = lstatSync(file, { throwIfNoEntry: false })
  if (!entry) return ''
  const stat = statSync(file, { throwIfNoEntry: false })
  if (!stat?.isFile()) throw new ConfigError(`${file} is not a file: move it away`)
  if ((stat.mode & 0o002) !== 0)
    throw new ConfigError(`${file} may be written by everybody: chmod 600 ${file}`)
  const uid = process.getuid?.()
  if (uid !== undefined && stat.uid !== uid && stat.uid !== 0) {
    throw new ConfigError(
      `${file} belongs to another user (uid ${stat.uid}): take it over with chown, or remove it`,
    )
  }
  return readFileSync(file, 'utf8')
}

function check<T extends z.ZodType>(
  schema: T,
  data: unknown,
  name: (key: string) => string,
): z.output<T> {
  const result = schema.safeParse(data)
  if (result.success) return result.data
  const lines = result.error.issues.map((issue) => {
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map(
        (key) =>
          `${name([...issue.path, key].join('.'))} is not known: remove it or correct its spelling`,
      )
    }
    return `${name(issue.path.join('.'))} is wrong: ${issue.message}`
  })
  throw new ConfigError(lines.flat().join('\n'))
}

/** `PORT=` in a shell or a compose file means "not set". */
function withoutEmpty(env: Env): Env {
  return Object.fromEntries(
    Object.entries(env).filter(([, value]) => value !== '' && value !== undefined),
  )
}
