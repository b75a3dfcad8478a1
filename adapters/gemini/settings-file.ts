import { readFileSync } from 'node:fs'

/** A settings file of Gemini CLI: JSON with comments. Empty when it is not there or not readable as such. */
export function readSettingsFile(path: string): Settings {
  try {
    const value: unknown = JSON.parse(withoutComments(readFileSync(path, 'utf8')))
    return isSection(value) ? value : {}
  } catch {
    // None, or one that Gemini CLI itself would refuse: its own message about that is for the person's terminal.
    return {}
  }
}

export type Settings = Record<string, unknown>

/** A section of the settings; empty when it is something else. */
export function section(settings: Settings, name: string): Settings {
  const value = settings[name]
  return isSection(value) ? value : {}
}

const isSection = (value: unknown): value is Settings =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Strings are left alone, whatever is in them. */
const withoutComments = (text: string) =>
  text.replace(/("(?:\\.|[^"\\])*")|\/\/[^\n]*|\/\*[\s\S]*?\*\//g, (_all, kept) => kept ?? '')

/** Variables of the person's own `.env` files for Gemini CLI, which is not let near a project's; the first file that there is counts. */
export function readEnvFile(paths: readonly string[]): Record<string, string> {
  for (const path of paths) {
    try {
      return Object.fromEntries(
        [...readFileSync(path, 'utf8').matchAll(ENV_LINE)].map(([, name = '', value = '']) => [
          name,
          value.trim().replace(/^(["'])(.*)\1$/, '$2'),
        ]),
      )
    } catch {
      // Not there: the next one.
    }
  }
  return {}
}

const ENV_LINE = /^[ \t]*(?:export[ \t]+)?([A-Za-z_]\w*)[ \t]*=(.*)$/gm
