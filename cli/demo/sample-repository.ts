import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { sampleFiles } from '../../adapters/demo/sample.ts'

export interface TestRun {
  passed: boolean
  /** One line a test, and the totals. */
  lines: string[]
}

/** The demo's repository: a real little program, one commit on `main`, and an edit that nobody has committed. */
export interface SampleRepository {
  path: string
  runTests(): Promise<TestRun>
  /** Output of `git log --graph`. */
  history(): Promise<string[]>
  /** Name and subject of a commit, and Dispatch's trailers in it. */
  describe(commit: string): Promise<string[]>
  /** The uncommitted edit: what it is, and whether it still has every byte. */
  uncommitted: { file: string; isUntouched(): boolean }
}

const EDITED = 'README.md'

/** Writes and commits the sample in `path`, a folder that does not exist yet. Throws when git fails. */
export async function createSampleRepository(
  path: string,
  env: Record<string, string | undefined>,
): Promise<SampleRepository> {
  const run = (command: string, args: string[]) => execute(command, args, { cwd: path, env })
  for (const [file, content] of Object.entries(sampleFiles())) {
    mkdirSync(dirname(join(path, file)), { recursive: true })
    writeFileSync(join(path, file), content)
  }
  await run('git', ['init', '-q', '--template=', '-b', 'main'])
  await run('git', ['add', '.'])
  // a person's own signing would ask for a passphrase, or fail without one
  const settings = ['user.name=Demo', 'user.email=demo@localhost', 'commit.gpgsign=false']
  const commit = ['commit', '-q', '-m', 'textkit, with its functions still to be written']
  await run('git', [...settings.flatMap((setting) => ['-c', setting]), ...commit])
  appendFileSync(join(path, EDITED), '\nAn edit that nobody has committed yet.\n')
  const before = fingerprint(join(path, EDITED))
  return {
    path,
    async runTests() {
      const { ok, output } = await run('npm', ['test', '--silent'])
      return { passed: ok, lines: testLines(output) }
    },
    async history() {
      const { output } = await run('git', ['log', '--graph', '--format=%h %s (%an)%d', 'main'])
      return output.trimEnd().split('\n')
    },
    async describe(id) {
      const { output } = await run('git', ['show', '-s', '--format=%h %s%n%(trailers)', id])
      return output.trimEnd().split('\n')
    },
    uncommitted: {
      file: EDITED,
      isUntouched: () => fingerprint(join(path, EDITED)) === before,
    },
  }
}

const fingerprint = (file: string) => createHash('sha256').update(readFileSync(file)).digest('hex')

/** Throws when git fails; for any other command failing is an answer. */
function execute(
  command: string,
  args: string[],
  options: { cwd: string; env: Record<string, string | undefined> },
): Promise<{ ok: boolean; output: string }> {
  return new Promise((resolve, reject) => {
    execFile(command, args, { ...options, maxBuffer: 1 << 24 }, (error, stdout, stderr) => {
      if (error && (command === 'git' || error.code === 'ENOENT'))
        return reject(new Error(`${command} ${args[0]} failed: ${stderr.trim() || error.message}`))
      resolve({ ok: !error, output: stdout + stderr })
    })
  })
}

/** From the output of `node --test`, in TAP as Node 20 prints it into a pipe, or in the form of newer ones. */
function testLines(output: string): string[] {
  const isResult = /^\s*(?:(?:not )?ok \d+ -|[✔✖⚠]) /
  const isTotal = /^(?:#|ℹ) (?:pass|fail|todo) \d+/
  const lines = output.split('\n')
  const totals = lines.filter((line) => isTotal.test(line)).map((line) => line.slice(2))
  return [...lines.filter((line) => isResult.test(line)), totals.join(', ')]
}
