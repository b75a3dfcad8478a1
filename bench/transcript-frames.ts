import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Page } from 'playwright-core'
import { TRANSCRIPTS_CHANNEL } from '../db/transcripts.ts'
import { launchBrowser } from '../test/support/browser.ts'
import { makeSampleRepository } from '../test/support/own-stack.ts'
import { type BenchStack, startBenchStack } from './lib/bench-stack.ts'
import type { Bench, Row } from './lib/row.ts'
import { median, quantile } from './lib/stats.ts'

const LINES = 100_000
const PER_SECOND = 200
/** As often as a runner hands over what its agent said. */
const EVERY_MS = 50

/**
 * Frames that a browser draws while an open transcript of 100,000 lines, all of them read, grows by 200 entries a second; the
 * floor is a page without anything on it, in turns with it in the same browser.
 */
export const transcriptFrames: Bench = {
  name: 'transcript',
  async run({ quick }) {
    const stack = await startBenchStack({ ui: true })
    const browser = await launchBrowser()
    try {
      const run = await transcriptOf(stack, LINES)
      const viewport = { width: 1440, height: 900 }
      const page = await (await browser.newContext({ viewport })).newPage()
      await page.goto(`${stack.stack.url}/agents/${run.id}`)
      await page.getByText(`line ${LINES} `).waitFor()
      // finding reads all of it, so that all of it is in the list
      await page.keyboard.press('/')
      await page.getByRole('textbox', { name: 'Find in transcript' }).fill('line 3 of')
      await page.getByRole('status').filter({ hasText: /^1$/ }).waitFor({ timeout: 120_000 })
      await page.getByRole('button', { name: 'End finding' }).click()
      const bare = await (await browser.newContext({ viewport })).newPage()
      const rounds: Round[] = []
      for (let round = 0; round < (quick ? 2 : 5); round += 1)
        rounds.push({ bare: await framesOf(bare), ...(await whileGrowing(run, page)) })
      return rowsOf(rounds)
    } finally {
      await browser.close()
      await stack.close()
    }
  },
}

interface Round {
  bare: number[]
  live: number[]
  /** ms of each second: the processor's time that the page's own thread took, and the clock's of its parts. */
  busy: Record<(typeof DURATIONS)[number], number>
}
const DURATIONS = ['ThreadTime', 'ScriptDuration', 'LayoutDuration', 'RecalcStyleDuration'] as const
const ROUND_MS = 4_000

/** ms between frames, for a while. As text: it runs in the page, where what the bundler adds to functions is not known. */
async function framesOf(page: Page): Promise<number[]> {
  await page.bringToFront()
  return page.evaluate(`new Promise((resolve) => {
    const gaps = []
    const begin = performance.now()
    let last = begin
    requestAnimationFrame(function frame(now) {
      gaps.push(now - last)
      last = now
      if (now - begin < ${ROUND_MS}) requestAnimationFrame(frame)
      else resolve(gaps.slice(1))
    })
  })`)
}

async function whileGrowing(run: Growing, page: Page): Promise<Pick<Round, 'live' | 'busy'>> {
  const devTools = await page.context().newCDPSession(page)
  await devTools.send('Performance.enable')
  const durations = async () => {
    const { metrics } = await devTools.send('Performance.getMetrics')
    return DURATIONS.map((name) => metrics.find((one) => one.name === name)?.value ?? 0)
  }
  const ending = new AbortController()
  const growing = run.grow(ending.signal)
  const before = await durations()
  const live = await framesOf(page)
  const after = await durations()
  ending.abort()
  await growing
  await devTools.detach()
  await page.getByText(`line ${lastShown(run.lines())} `).waitFor()
  const seconds = live.reduce((sum, gap) => sum + gap) / 1000
  const busy = DURATIONS.map((name, n) => {
    const ms = 1000 * ((after[n] ?? 0) - (before[n] ?? 0))
    return [name, ms / seconds]
  })
  return { live, busy: Object.fromEntries(busy) as Round['busy'] }
}

/** A tool's result is folded into its call. */
const lastShown = (lines: number) => (lines % 5 === 2 ? lines - 1 : lines)

function rowsOf(rounds: readonly Round[]): Row[] {
  const perSecond = (gaps: readonly number[]) => (1000 * gaps.length) / gaps.reduce((a, b) => a + b)
  const live = median(rounds.map((round) => perSecond(round.live)))
  const bare = median(rounds.map((round) => perSecond(round.bare)))
  const gaps = rounds.flatMap((round) => round.live)
  const floor = 'an empty page'
  const busy = (name: (typeof DURATIONS)[number]) => median(rounds.map((round) => round.busy[name]))
  const what = `transcript of ${LINES.toLocaleString('en')} lines, ${PER_SECOND} entries/s`
  return [
    {
      ...{ id: 'transcript.fps', what: `${what}: frames a second`, unit: '', value: live },
      ...{ floor: { what: floor, value: bare }, ratio: bare / live },
      ...{ aim: '60, or as the empty page', met: live >= Math.min(58, 0.95 * bare) },
    },
    {
      ...{ id: 'transcript.frame', what: `${what}: a frame`, unit: 'ms' },
      ...{ value: quantile(gaps, 0.5), p99: quantile(gaps, 0.99) },
      ...{
        floor: {
          what: floor,
          value: quantile(
            rounds.flatMap((r) => r.bare),
            0.5,
          ),
        },
      },
      note: `longest ${Math.max(...gaps).toFixed(0)} ms`,
    },
    {
      ...{
        id: 'transcript.busy',
        what: `${what}: processor time of the page's thread, of each second`,
        unit: 'ms',
      },
      ...{ value: busy('ThreadTime'), aim: '<= 500 ms', met: busy('ThreadTime') <= 500 },
      note: `script ${busy('ScriptDuration').toFixed(0)}, layout ${busy('LayoutDuration').toFixed(0)}, style ${busy('RecalcStyleDuration').toFixed(0)}`,
    },
  ]
}

interface Growing {
  id: string
  lines: () => number
  grow: (signal: AbortSignal) => Promise<void>
}

/** A run that no worker knows, with a transcript that grows as those of agents do. */
async function transcriptOf({ database: { knex }, ...stack }: BenchStack, count: number) {
  const project = await stack.call<{ id: string }>('POST', '/api/projects', {
    path: makeSampleRepository(join(stack.folder, 'repo')).path,
  })
  const [goal] = await knex('goals')
    .insert({
      ...{ project_id: project.id, title: 'transcript', description: 'transcript' },
      ...{ profile: '{}', target_branch: 'main', status: 'completed' },
    })
    .returning('id')
  const [{ id }] = await knex('agent_runs')
    .insert({
      ...{ goal_id: goal.id, stage: 'implement', attempt: 1, segment: 1, purpose: 'start' },
      ...{ adapter: 'claude', status: 'running', started_at: knex.fn.now() },
    })
    .returning('id')
  let lines = 0
  const add = async (n: number) => {
    await knex.raw(ADD, { id, from: lines + 1, to: lines + n })
    lines += n
    await knex('agent_runs').where({ id }).update({ last_seq: lines })
    await knex.raw('select pg_notify(?, ?)', [TRANSCRIPTS_CHANNEL, id])
  }
  await add(count)
  const run: Growing = {
    id,
    lines: () => lines,
    async grow(signal) {
      const begin = performance.now()
      for (let sent = 0; !signal.aborted; ) {
        const due = Math.floor(((performance.now() - begin) * PER_SECOND) / 1000) - sent
        if (due > 0) await add(due)
        sent += Math.max(0, due)
        await delay(EVERY_MS)
      }
    },
  }
  return run
}

/** Words, notices and tool calls with their results in turn. */
const ADD = `
insert into transcripts(run_id, seq, at, role, kind, content)
select :id, n, now(), 'agent',
  case n % 5 when 0 then 'notice' when 1 then 'tool' when 2 then 'tool_result' else 'text' end,
  jsonb_build_object('level', 'info', 'text', 'line ' || n || E' of the transcript, as long as most of them are\\n',
    'callId', 'call ' || (n - n % 5), 'name', 'shell', 'input', 'line ' || n || ' ', 'ok', true, 'output', 'line ' || n || ' ')
from generate_series(cast(:from as int), cast(:to as int)) n`
