import { fstatSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/**
 * What a person typed or piped into a command that then failed: nobody can read it from stdin again, so it goes to a
 * file that only they can read. Its path, or undefined where nothing is lost: no text, or a file that is still there.
 */
export function keepInput(bytes: Buffer): string | undefined {
  if (bytes.toString().trim() === '' || fstatSync(0).isFile()) return undefined
  const file = join(mkdtempSync(join(tmpdir(), 'dispatch-input-')), 'text')
  writeFileSync(file, bytes, { mode: 0o600 })
  return file
}
