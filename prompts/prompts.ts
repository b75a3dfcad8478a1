import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

/** Prompts are Markdown files with named holes: `{{name}}`. */
export interface PromptStore {
  /** Fills a prompt's holes. Throws when the prompt does not exist, or when it has a hole that nothing is put into: with the file and its holes. */
  render(name: string, values: Readonly<Record<string, string>>): Promise<string>
}

/** `folders`: looked through in order, so that a person's own copy of a prompt comes before the built-in one. */
export function createPrompts(folders: readonly string[]): PromptStore {
  return {
    async render(name, values) {
      return fill(await readFirst(folders, `${name}.md`), values)
    },
  }
}

interface Template {
  path: string
  text: string
}

async function readFirst(folders: readonly string[], file: string): Promise<Template> {
  for (const path of folders.map((folder) => join(folder, file))) {
    try {
      return { path, text: await readFile(path, 'utf8') }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
  }
  throw new Error(`prompt ${file} is in none of: ${folders.join(', ')}`)
}

function fill({ path, text }: Template, values: Readonly<Record<string, string>>): string {
  return text.replace(/\{\{([a-z_]+)\}\}/g, (hole: string, name: string) => {
    const value = values[name]
    if (value !== undefined) return value
    const known = Object.keys(values).map((each) => `{{${each}}}`)
    const holes = known.length > 0 ? `only into ${known.join(', ')}` : 'into nothing in this one'
    throw new Error(
      `${path} has ${hole}, but Dispatch puts text ${holes}. Correct that file, then retry.`,
    )
  })
}

const TAGS =
  'project|conventions|goal_title|goal|spec|test_spec|security_spec|stage|task|attempt|feedback|requests|remarks|corrections|checks|output_schema|errors'

/** Text from people and repositories cannot end or begin a section of the prompt. */
export function fenced(text: string): string {
  return text.replace(new RegExp(`<(/?)(${TAGS})\\b`, 'gi'), '&lt;$1$2')
}
