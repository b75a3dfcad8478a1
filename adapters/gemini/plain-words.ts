import { existsSync } from 'node:fs'
import { join } from 'node:path'

/** Where Gemini CLI (0.61) sees a path to read in, in whatever is said to it, and the beginning of that path. */
const AT = /(?<!\\)@(?=[^ \t\n\r,;!?()[\]{}.]|\.(?!$|[ \t\n\r]))((?:[\w+@-]|\.(?!$|[ \t\n\r]))*)/g

/**
 * What is said to Gemini CLI as it is written: a goal's text is no place for slash commands, and an `@name` in it (a package, an address, a
 * decorator) must not bring whole files and folders with it. What is none of them in the working folder is left alone, because the `\` before an
 * `@` is there for the model too; a name that is merely like that of a file is not looked for (run-home.ts).
 */
export function plainWords(text: string, cwd: string): string {
  const escaped = text.replace(AT, (all, name: string) =>
    name === '' || existsSync(join(cwd, name)) ? all.replaceAll('@', '\\@') : all,
  )
  return escaped.startsWith('/') ? `\n${escaped}` : escaped
}
