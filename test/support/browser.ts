import { existsSync } from 'node:fs'
import { type Browser, chromium } from 'playwright-core'

/** Debian's, the quickest first: the shell is Chromium without the parts that draw windows. */
const DEBIAN = ['/usr/bin/chromium-headless-shell', '/usr/bin/chromium'].find(existsSync)

/** Why no browser can be launched here, and what to do about it; undefined where one can. */
export function missingBrowser(): string | undefined {
  if (DEBIAN || existsSync(chromium.executablePath())) return undefined
  return 'there is no Chromium. "apt-get install chromium-headless-shell" (as root, on Debian) or "npx playwright-core install chromium" installs it.'
}

/**
 * Chromium without a window: Debian's where it is installed, else Playwright's own (`npx playwright-core install chromium`).
 * It talks to nobody but the pages that it is sent to. Close it when done.
 */
export function launchBrowser(): Promise<Browser> {
  const asRoot = process.getuid?.() === 0
  return chromium.launch({
    ...(DEBIAN ? { executablePath: DEBIAN } : {}),
    args: [
      ...(asRoot ? ['--no-sandbox'] : []), // Chromium refuses to be root inside its sandbox
      ...['--disable-gpu', '--disable-quic', '--no-first-run', '--disable-sync'],
      ...['--disable-background-networking', '--disable-component-update'],
    ],
  })
}
