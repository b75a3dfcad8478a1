import { fstatSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/**
 * What a person typed or piped into a command that then failed: nobody can read it from stdin again, so it goes to a
 * file that only they can read; where none can be written it is said again. The sentence that tells them, or undefined where
 * nothing is lost: no text, or a file that is still there.
 */
export function keepInput(bytes: Buffer): string | undefined {
  const text = bytes.toString().trim()
  if (text === '' || fstatSync(0).isFile()) return undefined
  try {
    const file = join(mkdtempSync(join(tmpdir(), 'dispatch-input-')), 'text')
    writeFileSync(file, bytes, { mode: 0o600 })
    return `What you gave is kept in ${file}`
  } catch (error) {
    return `What you gave could not be kept in a file (${(error as Error).message}). It was:\n${text}`
  }
}
