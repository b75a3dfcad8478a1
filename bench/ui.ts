import { join } from 'node:path'
import type { Browser, Page, Request } from 'playwright-core'
import { launchBrowser } from '../test/support/browser.ts'
import { makeSampleRepository } from '../test/support/own-stack.ts'
import { serveBarePage } from './lib/bare-page.ts'
import { startBenchStack } from './lib/bench-stack.ts'
import { closing } from './lib/cleanup.ts'
import { compare } from './lib/round-robin.ts'
import { type Bench, compared, type Row } from './lib/row.ts'
import { median, quantile } from './lib/stats.ts'

/** The page in a real Chromium: its first load against a bare React page, and the palette. */
export const ui: Bench = {
  name: 'ui',
  async run({ quick }) {
    const stack = await startBenchStack({ ui: true })
    const browser = await launchBrowser()
    const closeBrowser = closing(() => browser.close())
    const bare = await serveBarePage()
    try {
      const { path } = makeSampleRepository(join(stack.folder, 'repo'))
      await stack.call('POST', '/api/projects', { path })
      return [
        ...(await firstLoads(browser, stack.stack.url, bare.url, quick ? 5 : 15)),
        await palette(browser, stack.stack.url, quick ? 10 : 40),
      ]
    } finally {
      await bare.close()
      await closeBrowser()
      await stack.close()
    }
  },
}

/** Milliseconds from the navigation until something is drawn there, and what was transferred for it, compressed. */
async function firstLoad(browser: Browser, url: string, seen: string) {
  const context = await browser.newContext()
  const page = await context.newPage()
  const loaded: Request[] = []
  page.on('requestfinished', (request) => {
    if (['document', 'script', 'stylesheet'].includes(request.resourceType())) loaded.push(request)
  })
  await page.addInitScript(`
    const look = () => {
      if (document.querySelector(${JSON.stringify(seen)})) window.seenAt = performance.now()
      else requestAnimationFrame(look)
    }
    requestAnimationFrame(look)`)
  await page.goto(url)
  const ms = await numberOf(page, 'seenAt')
  // what comes later is fetched in advance, for other views
  const sizes = await Promise.all([...loaded].map((request) => request.sizes()))
  await context.close()
  return {
    ms,
    kB: sizes.reduce((sum, { responseBodySize }) => sum + responseBodySize, 0) / 1000,
  }
}

/** A number of the page's window, once it is there. */
const numberOf = (page: Page, name: string): Promise<number> =>
  page.evaluate(`new Promise((resolve) => {
    const look = () => (window.${name} ? resolve(window.${name}) : requestAnimationFrame(look))
    look()
  })`)

async function firstLoads(
  browser: Browser,
  url: string,
  bareUrl: string,
  rounds: number,
): Promise<Row[]> {
  const loads: { subject: Load; floor: Load }[] = []
  for (let round = 0; round <= rounds; round += 1) {
    const subject = await firstLoad(browser, url, 'main h2')
    const floor = await firstLoad(browser, bareUrl, '[data-shown]')
    if (round > 0) loads.push({ subject, floor })
  }
  const figures = (of: keyof Load) =>
    compare(
      loads.map(({ subject }) => subject[of]),
      loads.map(({ floor }) => floor[of]),
    )
  const [ms, kB] = [figures('ms'), figures('kB')]
  const floor = 'a bare React page'
  return [
    {
      ...compared('ui.first.size', 'first load of the page: HTML, scripts and styles, gzip', kB, {
        ...{ floor, aim: '<= 200 kB', met: kB.subject <= 200 },
      }),
      unit: 'kB',
    },
    compared(
      'ui.first.time',
      'first load of the page, nothing cached, until the goals are shown',
      ms,
      {
        ...{ floor, aim: '<= 500 ms', met: ms.subject <= 500 },
      },
    ),
  ]
}

type Load = Awaited<ReturnType<typeof firstLoad>>

/** Milliseconds from the key until the palette is drawn. */
async function palette(browser: Browser, url: string, rounds: number): Promise<Row> {
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 } })
  await page.goto(url)
  await page.waitForLoadState('networkidle') // it is fetched when nothing else is to do
  await page.evaluate(`addEventListener('keydown', ({ key, timeStamp }) => {
    if (key !== 'k') return
    window.drawn = undefined
    const look = () => requestAnimationFrame(() => {
      if (!document.querySelector('[cmdk-input]')) return look()
      // a frame later it is on the screen
      requestAnimationFrame((now) => { window.drawn = now - timeStamp })
    })
    look()
  }, true)`)
  const times: number[] = []
  for (let round = 0; round <= rounds; round += 1) {
    await page.keyboard.press('Control+k')
    const ms = await numberOf(page, 'drawn')
    if (round > 0) times.push(ms)
    await page.keyboard.press('Escape')
    await page.locator('[cmdk-input]').waitFor({ state: 'detached' })
  }
  await page.close()
  const value = median(times)
  return {
    ...{ id: 'ui.palette', what: 'key to command palette on the screen', unit: 'ms', value },
    ...{ p99: quantile(times, 0.99), aim: '<= 50 ms', met: value <= 50 },
  }
}
