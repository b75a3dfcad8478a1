import {
  chmodSync,
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { processEnv } from '../../config/config.ts'
import {
  distDir,
  type HomePaths,
  homePaths,
  packageRoot,
  shortSocketDir,
} from '../../config/home.ts'
import { commandLine, processesIn } from '../../config/process-table.ts'
import { connect, type Database } from '../../db/connect.ts'
import { type RunningPostgres, startPostgres } from '../../db/postgres/start-postgres.ts'
import { connectTemporal } from '../../temporal/connection.ts'
import {
  type Answer,
  type Ask,
  asking,
  type Insist,
  insisting,
  makeSampleRepository,
  type Repository,
  request,
} from '../support/own-stack.ts'
import { until } from '../support/until.ts'
import { type ComposeService, readCompose } from './compose-file.ts'
import { type Container, killTree, startContainer } from './container.ts'

/** The services of docker-compose.yml as plain processes on addresses of their own in 127/8. */
export interface Team {
  folder: string
  home: HomePaths
  database: Database
  temporalAddress: string
  postgres: { host: string }
  /** What runs, by name: `worker-1`, `api-2`, … */
  containers: ReadonlyMap<string, Container>
  /** The first API that answers, as a proxy in front would choose. Rejects when none does. */
  call(method: string, path: string, body?: unknown): Promise<Answer>
  insist: Insist
  ask: Ask
  repository(name: string): Repository
  /** Starts a container of a service again under its name, on `build` (a copy of dist/); resolves when it is healthy. */
  start(name: string, build?: string): Promise<void>
  killPostgres(): Promise<void>
  startPostgres(): Promise<void>
  /** Ends every process; the folder stays. */
  stop(): Promise<void>
  close(): Promise<void>
}

export interface TeamOptions {
  /** Folder with the production Temporal server's programs. */
  temporalServer: string
  /** The build that containers run: a copy of dist/. */
  build: string
  /** A folder made before, with volumes to go on with; a new one without. */
  folder?: string
  /** Done when only Postgres runs, such as what a restore does to its databases. */
  first?: ((team: Pick<Team, 'folder' | 'postgres'>) => Promise<void>) | undefined
  say: (line: string) => void
}

/** What starts as it is in the compose file, in this order; Postgres comes before, as the embedded one. */
const SERVERS = ['temporal', 'runners', 'worker-1', 'worker-2', 'api-1', 'api-2'] as const
const ADDRESS: Record<string, number> = {
  ...{ postgres: 2, temporal: 3, runners: 4, 'temporal-schema': 5, 'temporal-namespace': 6 },
  ...{ 'api-1': 11, 'api-2': 12, 'worker-1': 21, 'worker-2': 22 },
}

/** Starts all of it and resolves when everything is healthy. Throws what did not start, with nothing left running. */
export async function startTeam(options: TeamOptions): Promise<Team> {
  const folder = options.folder ?? realpathSync(mkdtempSync(join(tmpdir(), 'dispatch-team-')))
  const team = createTeam(options, folder)
  try {
    await team.up(options.first)
    return team
  } catch (error) {
    await team.stop()
    throw error
  }
}

function createTeam({ temporalServer, build: usual, say }: TeamOptions, folder: string) {
  const net = `127.${random(10, 250)}.${random(1, 250)}`
  const addressOf = (name: string) => `${net}.${ADDRESS[name]}`
  const apis = ['api-1', 'api-2'].map((name) => `${addressOf(name)}:4400`)
  const services = readCompose({ DISPATCH_ALLOWED_HOSTS: apis.join(','), DISPATCH_PORT: '4400' })
  const home = homePaths(join(folder, 'home'))
  const containers = new Map<string, Container>()
  const logs = join(folder, 'logs')
  let postgres: RunningPostgres | undefined
  let database: Database | undefined

  function makeFolders() {
    for (const name of ['home', 'agents', 'logs', 'secrets', 'bin', 'repositories', 'pg'])
      mkdirSync(join(folder, name), { recursive: true, mode: 0o700 })
    const bin = join(folder, 'bin')
    rmSync(join(bin, 'temporal-sql-tool'), { force: true })
    symlinkSync(join(temporalServer, 'sql'), join(bin, 'temporal-sql-tool'))
    // the image's own script ends with this line; what it does before is about addresses inside a container
    writeFileSync(
      join(bin, 'entrypoint.sh'),
      `#!/bin/sh\nexec ${join(temporalServer, 'server')} start\n`,
    )
    chmodSync(join(bin, 'entrypoint.sh'), 0o755)
    copyFileSync(
      join(packageRoot(), 'temporal', 'dynamic-config.yaml'),
      join(folder, 'dynamic-config.yaml'),
    )
    writeFileSync(join(folder, 'secrets', 'anthropic_api_key'), '', { mode: 0o600 })
  }

  /** Paths and names of a container, as they are here. */
  function translate(text: string, own: string, build: string): string {
    return text
      .replaceAll('/run/secrets/', `${folder}/secrets/`)
      .replaceAll('/var/lib/dispatch', home.root)
      .replaceAll('/etc/temporal/entrypoint.sh', `${folder}/bin/entrypoint.sh`)
      .replaceAll('/etc/temporal/dispatch/dynamic-config.yaml', `${folder}/dynamic-config.yaml`)
      .replaceAll('/repositories', `${folder}/repositories`)
      .replace(/^(\/opt\/dispatch\/)?dist\//, `${build}/`)
      .replace(/^node$/, process.execPath)
      .replace(/\b(postgres|temporal):(\d+)/g, (_all, name, port) => `${addressOf(name)}:${port}`)
      .replaceAll('0.0.0.0', own)
  }

  function environmentOf(service: ComposeService, own: string, build: string) {
    const given = Object.entries(service.environment).map(([key, value]) => {
      const isName = /_(HOST|SEEDS)$/.test(key) && value in ADDRESS
      return [key, isName ? addressOf(value) : translate(value, own, build)]
    })
    return {
      PATH: `${join(folder, 'bin')}:${processEnv()['PATH']}`,
      HOME: join(folder, 'agents'),
      ...Object.fromEntries(given),
    }
  }

  function run(name: string, build = usual): Container {
    const service = services[name.replace(/-\d$/, '')]
    if (!service) throw new Error(`docker-compose.yml has no service for ${name}`)
    const own = addressOf(name)
    const here = (text: string) => translate(text, own, build)
    const container = startContainer({
      name,
      command: [...service.entrypoint, ...service.command].map(here),
      env: environmentOf(service, own, build),
      cwd: packageRoot(),
      logFile: join(logs, `${name}.log`),
      healthcheck: service.healthcheck?.map((text) => here(text).replaceAll('127.0.0.1', own)),
    })
    return container
  }

  /**
   * Starts it again where it ends by itself, as compose does: restored from a backup of some seconds ago it waits for members of then,
   * which it takes for alive, and may give up ("failed to start ringpop"). Our own programs have no such excuse.
   */
  function keepTemporal() {
    const container = run('temporal')
    containers.set('temporal', container)
    void container.exited.then((code) => {
      if (code && containers.get('temporal') === container) keepTemporal()
    })
  }

  /** A job must end well, again too: it runs at every `docker compose up`. */
  async function job(name: string) {
    for (const _round of [1, 2]) {
      const code = await run(name).exited
      if (code === 0) continue
      throw new Error(`${name} ended with ${code}: ${lastLines(join(logs, `${name}.log`))}`)
    }
  }

  async function start(name: string, build?: string) {
    if (name !== 'temporal') {
      const container = run(name, build)
      containers.set(name, container)
      return container.healthy()
    }
    keepTemporal()
    await until(() => answers(temporalAddress()), { ms: 60_000, what: 'Temporal', everyMs: 100 })
  }

  const server = { host: addressOf('postgres') }
  const temporalAddress = () => `${addressOf('temporal')}:7233`

  async function startDatabase() {
    const { command = [], environment } = services['postgres'] ?? {}
    if (environment?.['POSTGRES_USER'] !== 'dispatch')
      throw new Error('the embedded Postgres knows only the user dispatch')
    postgres = await startPostgres({
      dir: join(folder, 'pg'),
      socketDir: shortSocketDir(folder),
      logFile: join(logs, 'postgres.log'),
      log: pino({ level: 'silent' }),
      commandLine,
      settings: [
        ...command.filter((_, index) => command[index - 1] === '-c'),
        `listen_addresses=${addressOf('postgres')}`,
      ],
    })
    copyFileSync(join(folder, 'pg', 'password'), join(folder, 'secrets', 'postgres_password'))
  }

  async function stop() {
    await database?.close()
    database = undefined
    const order = [...containers.values()].reverse()
    containers.clear()
    await Promise.all(order.filter(({ name }) => name !== 'temporal').map((c) => c.stop()))
    await Promise.all(order.map((container) => container.stop()))
    await postgres?.stop()
    postgres = undefined
  }

  const call = async (method: string, path: string, body?: unknown): Promise<Answer> => {
    let failure: unknown
    for (const address of apis) {
      try {
        return await request(`http://${address}${path}`, { method, body })
      } catch (error) {
        failure = error
      }
    }
    throw failure
  }
  const db = () => {
    if (!database) throw new Error('the team is not up')
    return database
  }

  return {
    ...{ folder, home, containers, call, start, stop },
    get database() {
      return db()
    },
    get temporalAddress() {
      return temporalAddress()
    },
    postgres: server,
    ask: asking(db),
    insist: insisting(call),
    repository: (name: string) => makeSampleRepository(join(folder, 'repositories', name)),
    async up(first: TeamOptions['first']) {
      makeFolders()
      await startDatabase()
      await first?.({ folder, postgres: server })
      database = connect(postgres?.url ?? '', { max: 3 })
      await job('temporal-schema')
      await start('temporal')
      await job('temporal-namespace')
      await start('runners')
      const [, , ...others] = SERVERS
      await Promise.all(others.map((name) => start(name)))
      say(`up: ${['postgres', ...containers.keys()].join(', ')}`)
    },
    async killPostgres() {
      if (!postgres) return
      killTree(postgres.pid)
      await postgres.exited
      // no new one starts beside what is left of it
      const left = () => processesIn(join(folder, 'pg', 'data'))
      await until(() => left().length === 0, {
        ms: 20_000,
        what: 'the end of Postgres',
        everyMs: 5,
      })
    },
    startPostgres: startDatabase,
    async close() {
      await stop()
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
      rmSync(shortSocketDir(folder), { recursive: true, force: true })
    },
  }
}

/** One build for the whole run, whatever is built meanwhile. Inside the package, where its packages are found. */
export function copyOfDist(name: string): string {
  const copy = join(packageRoot(), '.dispatch', 'team', `${process.pid}-${name}`)
  rmSync(copy, { recursive: true, force: true })
  cpSync(distDir(), copy, { recursive: true })
  return copy
}

async function answers(address: string): Promise<boolean> {
  try {
    await (await connectTemporal({ address, connectTimeoutMs: 1_000 })).close()
    return true
  } catch {
    return false // not yet: the next look tells, and the last one's time-out
  }
}

const random = (low: number, high: number) => low + Math.floor(Math.random() * (high - low))

const lastLines = (file: string) =>
  readFileSync(file, 'utf8').trim().split('\n').slice(-8).join('\n')
