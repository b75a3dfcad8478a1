import { spawn } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { lendTerminal } from './lend-terminal.ts'
import { temporaryFolder } from './temporary-folder.ts'

export interface Edited {
  /** Undefined when the editor ended with an error: nothing is taken then. */
  text: string | undefined
  /** Where the text is. The caller removes its folder, or tells the person where their work is kept. */
  file: string
  folder: string
  editor: string
}

/** Opens the person's editor on a text, in a folder of its own that only they can read, and waits until it ends. */
export async function editText(
  text: string,
  { name, env }: { name: string; env: Record<string, string | undefined> },
): Promise<Edited> {
  const editor = env['DISPATCH_EDITOR'] || env['VISUAL'] || env['EDITOR'] || 'vi'
  const folder = temporaryFolder('dispatch-edit-')
  const file = join(folder, name)
  writeFileSync(file, text, { mode: 0o600 })
  // An editor may be named with its options, as in `code --wait`: the shell reads it, the file is an argument.
  const code = await lendTerminal(() => exitOf(['-c', `${editor} "$1"`, 'sh', file], env))
  return { text: code === 0 ? readFileSync(file, 'utf8') : undefined, file, folder, editor }
}

function exitOf(args: string[], env: Record<string, string | undefined>): Promise<number> {
  const child = spawn('sh', args, { stdio: 'inherit', env })
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (exit) => resolve(exit ?? 1))
  })
}
