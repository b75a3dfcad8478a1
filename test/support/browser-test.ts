import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { expect, onTestFinished, test } from 'vitest'
import { missingBrowser } from './browser.ts'

const missing = missingBrowser()
if (missing !== undefined) process.stderr.write(`Tests of the web UI do not run: ${missing}\n`)

/** A test that needs a browser: skipped, with the reason on stderr, where there is none. */
export const browserTest = test.skipIf(missing !== undefined)

/** A window of its own, closed when its test ends: nothing is shared with another one but the server. Send it somewhere. */
export async function newWindow(
  browser: Browser,
  options: BrowserContextOptions = {},
): Promise<Page> {
  const viewport = { width: 1440, height: 900 }
  // a colour on its way to another has no contrast to judge
  const context = await browser.newContext({ viewport, reducedMotion: 'reduce', ...options })
  context.setDefaultTimeout(60_000)
  const page = await context.newPage()
  onTestFinished(async ({ task }) => {
    if (task.result?.state === 'fail')
      process.stderr.write(await describePage(page).catch((error: Error) => `${error.message}\n`))
    await context.close() // a page that nobody needs would follow the agents all the same
  })
  page.on('pageerror', (error) => expect.soft(error.message, 'an error of the page').toBe(''))
  return page
}

/** What a person would see and where their keys would go: a wait that timed out says nothing of it. */
async function describePage(page: Page): Promise<string> {
  const focus = await page.evaluate<string>('document.activeElement?.outerHTML.slice(0, 200)')
  const seen = await page.evaluate<string>('document.body.innerText.slice(-3000)')
  return `\nthe page ${page.url()}, focus on ${focus}:\n${seen}\n`
}
