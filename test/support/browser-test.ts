import { test } from 'vitest'
import { missingBrowser } from './browser.ts'

const missing = missingBrowser()
if (missing !== undefined) process.stderr.write(`Tests of the web UI do not run: ${missing}\n`)

/** A test that needs a browser: skipped, with the reason on stderr, where there is none. */
export const browserTest = test.skipIf(missing !== undefined)
