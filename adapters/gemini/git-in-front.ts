import { mkdirSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { findProgram } from '../find-program.ts'

/**
 * A `git` in front of the real one. Gemini CLI (0.61) sets `diff.external` to nothing for its shell, so that no program of a repository's
 * is started, and git tries to start just that: every `git diff` fails (google-gemini/gemini-cli#28928). This one takes the setting out again.
 * `folder`: of the run. Returns the PATH that has it.
 */
export function putGitInFront(
  folder: string,
  env: Readonly<Record<string, string>>,
): Record<string, string> {
  const { PATH } = env
  const git = findProgram('git', env)
  if (!PATH || git === undefined) return {}
  const bin = join(folder, 'bin')
  mkdirSync(bin)
  const real = `'${git.replaceAll("'", "'\\''")}'`
  writeFileSync(join(bin, 'git'), scriptBefore(real), { mode: 0o755 })
  return { PATH: [bin, PATH].join(delimiter) }
}

/** A setting among the numbered ones cannot be left out: it becomes one that says what holds anyway. */
const scriptBefore = (git: string) => `#!/bin/sh
n=\${GIT_CONFIG_COUNT:-0}
while [ "$n" -gt 0 ]; do
  n=$((n - 1))
  eval "setting=\\$GIT_CONFIG_KEY_$n=\\$GIT_CONFIG_VALUE_$n"
  [ "$setting" = diff.external= ] && export "GIT_CONFIG_KEY_$n=core.pager" "GIT_CONFIG_VALUE_$n=cat"
done
exec ${git} "$@"
`
