import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

const MAKE_REPOSITORY = `
git init -q --template= -b main
git config user.name Person
git config user.email person@localhost
git config maintenance.auto false
git add -A
git commit -q -m Start`

/** A repository of the person with these files committed on `main`. Returns its path. */
export function makeRepository(path: string, files: Record<string, string>): string {
  mkdirSync(path, { recursive: true })
  for (const [file, content] of Object.entries(files)) {
    mkdirSync(dirname(join(path, file)), { recursive: true })
    writeFileSync(join(path, file), content)
  }
  // one process of this large one instead of five: to copy its tables takes longer than what git does
  execFileSync('/bin/sh', ['-ec', MAKE_REPOSITORY], { cwd: path })
  return path
}
