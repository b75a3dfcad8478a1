import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Browser } from 'playwright-core'
import { launchBrowser } from '../support/browser.ts'
import type { Screen } from './screens.ts'

const SIZES = { wide: { width: 1440, height: 900 }, phone: { width: 390, height: 844 } } as const
const THEMES = ['light', 'dark'] as const

/** Shoots each screen light and dark, wide and phone, to `folder/<screen>-<size>-<theme>.png`. Names those that failed. */
export async function shoot(options: {
  url: string
  folder: string
  screens: readonly Screen[]
  say: (line: string) => void
}): Promise<string[]> {
  mkdirSync(options.folder, { recursive: true })
  const browser = await launchBrowser()
  const failed: string[] = []
  try {
    for (const [size, viewport] of Object.entries(SIZES))
      for (const theme of THEMES)
        failed.push(...(await shootAll(browser, { ...options, size, viewport, theme })))
  } finally {
    await browser.close()
  }
  return failed
}

/** A page with all pictures of a folder's screens, one row a screen. */
export function writeIndex(folder: string, screens: readonly Screen[]): void {
  const picture = (file: string) =>
    `<a href="${file}"><img src="${file}" alt="${file}" loading="lazy"></a>`
  const rows = screens.map(({ name }) => {
    const files = Object.keys(SIZES).flatMap((size) =>
      THEMES.map((theme) => `${name}-${size}-${theme}.png`),
    )
    return `<h2>${name}</h2><div>${files.map(picture).join('')}</div>`
  })
  const style =
    'body{font:14px system-ui;margin:24px;background:#888}div{display:flex;gap:12px;align-items:start}img{height:360px}'
  writeFileSync(
    join(folder, 'index.html'),
    `<!doctype html><meta charset="utf-8"><title>Gallery</title><style>${style}</style>${rows.join('\n')}\n`,
  )
}

async function shootAll(
  browser: Browser,
  at: {
    url: string
    folder: string
    screens: readonly Screen[]
    say: (line: string) => void
    size: string
    viewport: { width: number; height: number }
    theme: (typeof THEMES)[number]
  },
): Promise<string[]> {
  const context = await browser.newContext({
    ...{ viewport: at.viewport, colorScheme: at.theme, reducedMotion: 'reduce', baseURL: at.url },
    ...{ hasTouch: at.size === 'phone', isMobile: at.size === 'phone' },
  })
  const failed: string[] = []
  for (const { name, path, ready, keys = [] } of at.screens) {
    const page = await context.newPage()
    const file = `${name}-${at.size}-${at.theme}.png`
    page.on('console', (message) => {
      if (message.type() === 'error') at.say(`  ${file}: ${message.text()}`)
    })
    page.on('pageerror', (error) => at.say(`  ${file}: ${error.message}`))
    try {
      await page.goto(path)
      await page.locator(ready).first().waitFor({ timeout: 10_000 })
      for (const key of keys) await page.keyboard.press(key)
      if (keys.length > 0) await page.locator('[role=dialog]').waitFor({ timeout: 5_000 })
      await page.evaluate('document.fonts.ready')
      await page.screenshot({ path: join(at.folder, file) })
    } catch (error) {
      failed.push(`${file}: ${(error as Error).message.split('\n')[0]}`)
    }
    await page.close()
  }
  await context.close()
  return failed
}
