import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CliFailure } from './failure.ts'

/** A new folder, among the temporary files, that only this person can read. Throws what to do where none can be made. */
export function temporaryFolder(prefix: string): string {
  try {
    return mkdtempSync(join(tmpdir(), prefix))
  } catch (error) {
    throw new CliFailure(
      'configuration',
      'configuration',
      `No temporary folder can be made in ${tmpdir()}: ${(error as Error).message}.`,
      'Name a folder for temporary files in TMPDIR.',
    )
  }
}
