import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { packageRoot } from '../../config/home.ts'
import { playNight } from './play-night.ts'
import { nightPart, withNight } from './report.ts'

const HELP = `npm run test:night -- [--seed N] [--goals 20] [--lanes 2] [--report]
  Goals in a row with the real Claude Code (by its SDK and by ACP), Codex and Gemini CLI, mixed, on a scripted model that fails now and then, while the worker is
  killed again and again. None may be lost, and the ledger must say to the token what the model served.
  --report writes what came of it into docs/reliability.md.`

const say = (line: string) => void process.stdout.write(`${line}\n`)

/** Exit codes: 0, 1 something was lost or the ledger is wrong, 64 usage. */
async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      seed: { type: 'string' },
      goals: { type: 'string', default: '20' },
      lanes: { type: 'string', default: '2' },
      report: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  const seed = Number(values.seed ?? Math.floor(Math.random() * 1_000_000))
  const [goals, lanes] = [Number(values.goals), Number(values.lanes)]
  const isCount = (n: number) => Number.isSafeInteger(n) && n > 0
  if (values.help || !Number.isSafeInteger(seed) || !isCount(goals) || !isCount(lanes)) {
    say(HELP)
    return values.help ? 0 : 64
  }
  const at = new Date()
  say(`seed ${seed}, ${goals} goals, ${lanes} at a time`)
  const night = await playNight({ seed, goals, lanes, say })
  const part = nightPart(night, { seed, goals, lanes, at })
  say(`\n${part}`)
  if (values.report) {
    const page = join(packageRoot(), 'docs', 'reliability.md')
    writeFileSync(page, withNight(readFileSync(page, 'utf8'), part))
  }
  const isWell = night.outcomes.every(({ broken }) => broken.length === 0)
  return isWell && night.left.length === 0 ? 0 : 1
}

process.exitCode = await main()
