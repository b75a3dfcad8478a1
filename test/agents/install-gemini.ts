import { join } from 'node:path'
import { installAgent } from './install.ts'

/** The real Gemini CLI that the tests drive: plain JavaScript, the same for every platform. */
export const GEMINI_VERSION = '0.61.0'

/** The path of the real `gemini`. */
export const installGemini = (log?: (line: string) => void): Promise<string> =>
  installAgent(
    {
      title: 'Gemini CLI',
      version: GEMINI_VERSION,
      what: `@google/gemini-cli@${GEMINI_VERSION}`,
      folder: `gemini-${GEMINI_VERSION}`,
      binary: join('node_modules', '.bin', 'gemini'),
      megabytes: 100,
    },
    log,
  )
