import { join } from 'node:path'
import { readRegularText } from '../git/read-regular.ts'

const FILES = ['CLAUDE.md', 'AGENTS.md', 'GEMINI.md'] as const
const MOST_BYTES = 32_000

/**
 * What a repository tells agents: the first of its files that says something, and those of the others that this one brings in, as Claude Code
 * reads it (`@AGENTS.md` is often all that stands in a CLAUDE.md). Empty where it tells nothing. Whatever else an `@` names is not read:
 * a repository may lead it anywhere.
 */
export async function conventionFiles(repository: string): Promise<string> {
  const texts = new Map<string, string>()
  for (const file of FILES) {
    const text = await readRegularText(join(repository, file), MOST_BYTES)
    if (text?.trim()) texts.set(file, text)
  }
  const [speaks = '', said = ''] = [...texts][0] ?? []
  return [...texts]
    .filter(([file]) => file === speaks || bringsIn(said, file))
    .map(([file, text]) => `From ${file}:\n${text}`)
    .join('\n\n')
}

const bringsIn = (text: string, file: string) =>
  new RegExp(`(?:^|[\\s(])@(?:\\./)?${file.replace('.', '\\.')}(?![\\w/-])`).test(text)
