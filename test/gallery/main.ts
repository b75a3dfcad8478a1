import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { startOwnStack } from '../support/own-stack.ts'
import { SCREENS } from './screens.ts'
import { seed } from './seed.ts'
import { shoot } from './shoot.ts'

const USAGE = `npm run gallery                          a stack with demo data, a picture of every screen in docs/gallery
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
      out: { type: 'string', default: join('docs', 'gallery') },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return say(USAGE)
  if (values.url !== undefined) return pictures(values.url, values)
  const stack = await startOwnStack({ ui: true })
  try {
    say(`Dispatch with demo data: ${stack.stack.url}`)
    await seed(stack, say)
    return values.serve ? await serve(stack.stack.url) : await pictures(stack.stack.url, values)
  } finally {
    await stack.close()
  }
}

async function pictures(
  url: string,
  { out, only }: { out: string; only?: string[] | undefined },
): Promise<number> {
  const screens = SCREENS.filter(({ name }) => !only || only.some((part) => name.includes(part)))
  const failed = await shoot({ url, folder: out, screens, say })
  for (const line of failed) say(`FAILED ${line}`)
  say(`${screens.length * 4 - failed.length} pictures in ${out}`)
  return failed.length > 0 ? 1 : 0
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
