import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

/** Prompts are Markdown files with named holes: `{{name}}`. */
export interface PromptStore {
  /** Fills a prompt's holes. Throws when the prompt does not exist, or when a hole has no value. */
  render(name: string, values: Readonly<Record<string, string>>): Promise<string>
}

/** `folders`: looked through in order, so that a person's own copy of a prompt comes before the built-in one. */
export function createPrompts(folders: readonly string[]): PromptStore {
  return {
    async render(name, values) {
      return fill(await readFirst(folders, `${name}.md`), name, values)
    },
  }
}

async function readFirst(folders: readonly string[], file: string): Promise<string> {
  for (const folder of folders) {
    try {
      return await readFile(join(folder, file), 'utf8')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
  }
  throw new Error(`prompt ${file} is in none of: ${folders.join(', ')}`)
}

function fill(template: string, name: string, values: Readonly<Record<string, string>>): string {
  return template.replace(/\{\{([a-z_]+)\}\}/g, (_match, hole: string) => {
    const value = values[hole]
    if (value === undefined) throw new Error(`prompt ${name}: no value for {{${hole}}}`)
    return value
  })
}

const TAGS =
  'project|conventions|goal_title|goal|spec|test_spec|security_spec|stage|task|attempt|feedback|requests|remarks|corrections|checks|output_schema|errors'

/** Text from people and repositories cannot end or begin a section of the prompt. */
export function fenced(text: string): string {
  return text.replace(new RegExp(`<(/?)(${TAGS})\\b`, 'gi'), '&lt;$1$2')
}
