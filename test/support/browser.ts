import { existsSync } from 'node:fs'
import { type Browser, chromium } from 'playwright-core'

const DEBIAN = '/usr/bin/chromium'

/**
 * Chromium without a window: Debian's where it is installed, else Playwright's own (`npx playwright-core install chromium`).
 * It talks to nobody but the pages that it is sent to. Close it when done.
 */
export function launchBrowser(): Promise<Browser> {
  const asRoot = process.getuid?.() === 0
  return chromium.launch({
    ...(existsSync(DEBIAN) ? { executablePath: DEBIAN } : {}),
    args: [
      ...(asRoot ? ['--no-sandbox'] : []), // Chromium refuses to be root inside its sandbox
      ...['--disable-gpu', '--disable-quic', '--no-first-run', '--disable-sync'],
      ...['--disable-background-networking', '--disable-component-update'],
    ],
  })
}
