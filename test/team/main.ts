import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { packageRoot } from '../../config/home.ts'
import { withMeasured } from '../chaos/report.ts'
import { processesAbout } from '../support/processes.ts'
import { killChecks } from './checks.ts'
import { killOneOfEach, type Outcome, rollWorkers } from './kills.ts'
import { type RestoreOptions, restoreOneMoment, restoreTwoMoments } from './restore.ts'
import { copyOfDist, startTeam, type Team } from './team.ts'
import { postgresTools, ToolMissing, temporalServer } from './tools.ts'

const HELP = `npm run test:team -- [--report]
  Starts what docker-compose.yml describes as plain processes, with its own variables: the production Temporal server
  (built by Go once), Postgres, two workers, two APIs. Kills one of each and what checks depend on, rolls the workers to another build, restores a backup.
  --report writes the table into docs/operations.md.`

const started = Date.now()
const say = (line: string) =>
  void process.stdout.write(
    `${((Date.now() - started) / 1000).toFixed(1).padStart(6)} s  ${line}\n`,
  )

const open = new Set<Team>()

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: { report: { type: 'boolean', default: false }, help: { type: 'boolean' } },
  })
  if (values.help) {
    process.stdout.write(`${HELP}\n`)
    return 0
  }
  const programs = await temporalServer(say)
  const [build, next] = [copyOfDist('build'), otherBuild()]
  try {
    let team = await startTeam({ temporalServer: programs, say, build })
    open.add(team)
    const restore: RestoreOptions = {
      tools: { postgres: await postgresTools() },
      again: (folder, first) =>
        startTeam({ temporalServer: programs, say, build: next, folder, first }),
      say,
    }
    const outcomes: Outcome[] = []
    const broken: string[] = []
    try {
      outcomes.push(...(await killOneOfEach(team, say)), await killChecks(team, say))
      outcomes.push(await rollWorkers(team, next, say))
      for (const scenario of [restoreOneMoment, restoreTwoMoments]) {
        const restored = await scenario(team, restore)
        open.delete(team)
        team = restored.team
        open.add(team)
        outcomes.push(restored.outcome)
      }
      broken.push(...outcomes.flatMap((outcome) => outcome.broken))
    } catch (error) {
      say(`BROKEN ${(error as Error).stack}`)
      broken.push((error as Error).message)
    }
    await end(team, broken)
    process.stdout.write(`\n${table(outcomes)}\n`)
    if (values.report) report(outcomes)
    const passed = outcomes.filter((outcome) => outcome.broken.length === 0).length
    // what broke may belong to none of them
    const failed = Math.max(outcomes.length - passed, Math.min(broken.length, 1))
    process.stdout.write(`\nteam: ${passed} passed, ${failed} failed\n`)
    return broken.length === 0 ? 0 : 1
  } finally {
    for (const folder of [build, next]) rmSync(folder, { recursive: true, force: true })
  }
}

/** The same program as another build: its workflow bundle differs by a comment, and so does the build's id in Temporal. */
function otherBuild(): string {
  const copy = copyOfDist('next')
  const bundle = join(copy, 'workflow-bundle.js')
  // at its beginning, because its end is a source map that is read
  writeFileSync(bundle, `// the next build\n${readFileSync(bundle, 'utf8')}`)
  return copy
}

async function end(team: Team, broken: string[]): Promise<void> {
  if (broken.length > 0) {
    await team.stop()
    say(`kept: ${team.folder}`)
  } else await team.close()
  open.delete(team)
  const left = processesAbout(team.folder)
  if (left.length > 0) broken.push(`processes are left after the stop: ${left.join('; ')}`)
}

function table(outcomes: readonly Outcome[]): string {
  const rows = outcomes.map(
    ({ what, meanwhile, recoveryMs, broken }) =>
      `| ${what} | ${(recoveryMs / 1000).toFixed(1)} | ${meanwhile} | ${broken.length === 0 ? 'merged, every invariant kept' : broken.join('; ').slice(0, 300)} |`,
  )
  return ['| what | seconds | meanwhile | its goals |', '|---|---|---|---|', ...rows].join('\n')
}

function report(outcomes: readonly Outcome[]): void {
  const page = join(packageRoot(), 'docs', 'operations.md')
  const at = new Date(started).toISOString().slice(0, 16).replace('T', ' ')
  const measured = `Run of ${at} UTC: \`npm run test:team\`.\n\n${table(outcomes)}\n`
  writeFileSync(page, withMeasured(readFileSync(page, 'utf8'), measured))
}

/** Ctrl-C leaves nothing running. */
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, async () => {
    say(`${signal}: stopping`)
    await Promise.allSettled([...open].map((team) => team.close()))
    process.exit(130)
  })

const code = await main().catch((error: Error) => {
  const why = error instanceof ToolMissing ? error.message : error.stack
  process.stderr.write(`test:team was not run to its end: ${why}\n`)
  return error instanceof ToolMissing ? 69 : 1
})
// scripted people of goals that broke may still wait for their next review
process.exit(code)
