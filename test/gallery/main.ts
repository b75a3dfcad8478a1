import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { type OwnStack, request, startOwnStack } from '../support/own-stack.ts'
import { until } from '../support/until.ts'
import { addPastRuns } from './past-runs.ts'
import { EMPTY_SCREENS, SCREENS, type Screen } from './screens.ts'
import { JUDGE_CONFIG, seed } from './seed.ts'
import { shoot, writeIndex } from './shoot.ts'

const USAGE = `npm run gallery                          a stack with demo data, a picture of every screen in .dispatch/gallery
npm run gallery -- --serve               the stack and a development server of the UI, until Ctrl-C
npm run gallery -- --url URL             pictures of a stack that runs already
        --only NAME  --out FOLDER        some screens; another folder`

/** Screens with real data behind them, to look at and to work on. */
async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      serve: { type: 'boolean', default: false },
      url: { type: 'string' },
      only: { type: 'string', multiple: true },
      out: { type: 'string', default: join('.dispatch', 'gallery') },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return say(USAGE)
  if (values.url !== undefined) return pictures(values.url, SCREENS, values)
  const stack = await startOwnStack({ ui: true, configToml: JUDGE_CONFIG })
  try {
    say(`Dispatch with demo data: ${stack.stack.url}`)
    const { url } = stack.stack
    const failed = values.serve ? 0 : await pictures(url, EMPTY_SCREENS, values)
    await seed(stack, say)
    await addPastRuns(stack)
    if (values.serve) return await serve(url)
    await hideScripts(stack)
    const more = await pictures(url, SCREENS, values)
    writeIndex(values.out, [...SCREENS, ...EMPTY_SCREENS])
    say(`${join(values.out, 'index.html')} shows all of them`)
    return failed + more > 0 ? 1 : 0
  } finally {
    await endAgents(stack)
    await stack.close()
  }
}

async function pictures(
  url: string,
  all: readonly Screen[],
  { out, only }: { out: string; only?: string[] | undefined },
): Promise<number> {
  const chosen = all.filter(({ name }) => !only || only.some((part) => name.includes(part)))
  const screens = await withIds(url, chosen)
  const failed = await shoot({ url, folder: out, screens, say })
  for (const line of failed) say(`FAILED ${line}`)
  say(`${screens.length * 4 - failed.length} pictures in ${out}`)
  return failed.length > 0 ? 1 : 0
}

/** Agents outlive their server by design: those that work forever are ended before their folder is removed. */
async function endAgents({ insist, database }: OwnStack): Promise<void> {
  const open = ['active', 'paused', 'needs_attention']
  const goals = await database.knex('goals').whereIn('status', open).select('id')
  for (const { id } of goals) await insist('POST', `/api/goals/${id}/cancel`, {})
  await until(async () => (await insist('GET', '/api/agents?state=live')).body.items.length === 0, {
    ms: 60_000,
    what: 'the agents to end',
  })
}

/** What the demo agent is told to do is no part of what a person would have written. */
const hideScripts = ({ database: { knex } }: OwnStack) =>
  knex('goals').update({
    description: knex.raw("trim(regexp_replace(description, '\\[demo:[^]]*\\]', '', 'g'))"),
  })

/** Puts the ids of what waits or works now into paths that name it by kind. */
async function withIds(url: string, screens: readonly Screen[]): Promise<Screen[]> {
  if (!screens.some(({ path }) => path.includes('{'))) return [...screens]
  const list = async (path: string): Promise<{ kind?: string; shortId: string }[]> =>
    (await request(url + path, { method: 'GET' })).body.items
  const reviews = await list('/api/reviews?status=pending')
  const [run] = await list('/api/agents?state=live')
  const ids: Readonly<Record<string, string | undefined>> = {
    spec: reviews.find(({ kind }) => kind === 'spec')?.shortId,
    task: reviews.find(({ kind }) => kind === 'task')?.shortId,
    budget: reviews.find(({ kind }) => kind === 'budget')?.shortId,
    disputed: reviews.findLast(({ kind }) => kind === 'task')?.shortId, // the newest: its goal is the last of the seed
    run: run?.shortId,
  }
  return screens.map((screen) => ({
    ...screen,
    path: screen.path.replace(/\{(\w+)\}/, (_, name: string) => ids[name] ?? `no-${name}`),
  }))
}

/** The UI from its sources, with the API of the stack behind it. */
async function serve(target: string): Promise<number> {
  const { createServer } = await import('vite')
  const headers = { origin: target } // the API answers only to its own pages
  const to = { target, changeOrigin: true, headers }
  const server = await createServer({
    root: 'ui',
    server: { host: '127.0.0.1', proxy: { '/api': to, '/ws': { ...to, ws: true } } },
  })
  await server.listen()
  say(`UI from its sources:     ${server.resolvedUrls?.local[0]}`)
  await new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve())
  })
  await server.close()
  return 0
}

function say(line: string): number {
  process.stdout.write(`${line}\n`)
  return 0
}

process.exitCode = await main()
