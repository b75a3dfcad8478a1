import { type Deps, defineCommand } from '../command.ts'
import {
  CliFailure,
  EXIT,
  isCliFailure,
  isUnreachable,
  notRunning,
  usageFailure,
} from '../failure.ts'
import { askReady, databaseAway } from '../hanging.ts'
import { oneLine } from '../terminal-text.ts'

interface Finding {
  name: string
  ok: boolean
  message: string
  advice: string | null
  repaired: boolean
}

export const doctor = defineCommand({
  name: 'doctor',
  summary: 'Look for what is wrong with this machine and what was left behind',
  prints: { replies: ['runDoctor'] },
  args: {},
  options: { repair: { type: 'boolean', help: 'mend what is safe to mend' } },
  examples: ['dispatch doctor', 'dispatch doctor --repair'],
  async run({ repair, home, url }, deps, io) {
    if (url) await refuseOtherServer(url, deps)
    const [machine, server] = await Promise.all([checkMachine(home), checkServer(repair, deps)])
    if (url && !server.runs) throw notRunning(`nothing answers at ${url}`)
    if (repair && !server.runs)
      throw new CliFailure(
        'notRunning',
        'not_running',
        'Dispatch must run to repair.',
        'Start it: dispatch start',
      )
    const findings = [...machine, ...server.findings]
    if (io.json) io.document({ findings })
    for (const { name, ok, message, advice, repaired } of findings) {
      const mark = ok ? io.paint('green', '✓') : io.paint('red', '✗')
      io.print(`${mark} ${oneLine(name)}: ${oneLine(message)}${repaired ? ' (repaired)' : ''}`)
      if (advice && !ok) io.print(`  ${oneLine(advice)}`)
    }
    return findings.every(({ ok, repaired }) => ok || repaired) ? EXIT.ok : EXIT.error
  },
})

/** Half of the findings are the home's: those of another server beside them would be read, and mended, as the home's. */
async function refuseOtherServer(url: string, deps: Deps): Promise<void> {
  const { readServerFile } = await import('../supervisor/server-file.ts')
  const { root, serverFile } = deps.home()
  const own = readServerFile(serverFile)?.url
  if (own === undefined || own === url.replace(/\/+$/, '')) return
  throw usageFailure(
    `"dispatch doctor" works on ${root}, whose server is ${own}, and not on ${url}.`,
    'Leave --url out, or name the home of that server: --home <dir>',
  )
}

async function checkMachine(home: string | undefined): Promise<Finding[]> {
  const [{ doctor: checkAll }, { processConfig }] = await Promise.all([
    import('../supervisor/doctor.ts'),
    import('../../config/config.ts'),
  ])
  const checks = await checkAll(processConfig({ home }))
  return checks.map((check) => ({ ...check, advice: check.advice || null, repaired: false }))
}

/** Of which the server itself cannot tell; to have something mended, they are failures. */
const STATES_OF_API = ['starting', 'restarting', 'not_answering']

const found = (name: string, message: string, advice: string | null = null): Finding => ({
  ...{ name, ok: advice === null, message, advice, repaired: false },
})

/** Whether a server runs, and what it knows of. */
async function checkServer(
  repair: boolean,
  deps: Deps,
): Promise<{ runs: boolean; findings: Finding[] }> {
  try {
    const { postgres } = await askReady(deps)
    const answers = found('api', `answers at ${deps.serverUrl()}`)
    if (!postgres) return { runs: true, findings: [answers, await databaseFinding(deps)] }
    const { findings } = await deps.call('runDoctor', { body: { repair } })
    return { runs: true, findings: [answers, ...findings] }
  } catch (error) {
    const code = isCliFailure(error) ? error.code : undefined
    if (code === 'not_running' || isUnreachable(error))
      return { runs: false, findings: [found('api', 'not running')] }
    if (repair || !code || !STATES_OF_API.includes(code)) throw error
    const { message, advice = 'see "dispatch logs"' } = error as CliFailure
    return { runs: true, findings: [found('api', message, advice)] }
  }
}

async function databaseFinding(deps: Deps): Promise<Finding> {
  const { readServerFile } = await import('../supervisor/server-file.ts')
  const { message, advice } = databaseAway(readServerFile(deps.home().serverFile))
  return found('database', message, advice)
}
