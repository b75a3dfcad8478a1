import { type Deps, defineCommand } from '../command.ts'
import { CliFailure, EXIT, isUnreachable, notRunning, usageFailure } from '../failure.ts'

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
    if (url && !server) throw notRunning(`nothing answers at ${url}`)
    if (repair && !server)
      throw new CliFailure(
        'notRunning',
        'not_running',
        'Dispatch must run to repair.',
        'Start it: dispatch start',
      )
    const findings = [...machine, ...(server ?? [])]
    if (io.json) io.document({ findings })
    for (const { name, ok, message, advice, repaired } of findings) {
      const mark = ok ? io.paint('green', '✓') : io.paint('red', '✗')
      io.print(`${mark} ${io.clean(name)}: ${io.clean(message)}${repaired ? ' (repaired)' : ''}`)
      if (advice && !ok) io.print(`  ${io.clean(advice)}`)
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

/** What the server knows of; undefined when none runs. */
async function checkServer(repair: boolean, deps: Deps): Promise<Finding[] | undefined> {
  try {
    return (await deps.call('runDoctor', { body: { repair } })).findings
  } catch (error) {
    const down = error instanceof CliFailure && ['not_running', 'starting'].includes(error.code)
    if (down || isUnreachable(error)) return undefined
    throw error
  }
}
