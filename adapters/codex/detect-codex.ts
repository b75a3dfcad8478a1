import { execFile } from 'node:child_process'
import type { Detection } from '../../contracts/agent.ts'
import { findCodex, INSTALL_CODEX, nativeProgram } from './find-codex.ts'
import { LEAST_APP_SERVER } from './open-thread.ts'
import { isLeast, versionIn } from './version.ts'

const LOOK_MS = 8_000

type Env = Readonly<Record<string, string | undefined>>
type DetectionBase = Pick<Detection, 'adapter' | 'title' | 'demo'>

/**
 * Finds Codex and asks it who it is and whether it is logged in (`codex --version`, `codex login status`): both answer from what is on the
 * disk, cost nothing and ask nothing. `env`: the environment that its runs would get.
 */
export async function detectCodex(env: Env, base: DetectionBase): Promise<Detection> {
  const found = findCodex(env)
  if (found === undefined)
    return { ...base, found: false, login: 'unknown', advice: `Install it: ${INSTALL_CODEX}` }
  const binary = nativeProgram(found)
  const [version, status] = await Promise.all([
    ask(binary, ['--version'], env),
    ask(binary, ['login', 'status'], env),
  ])
  const number = versionIn(version.said)
  if (number === undefined) {
    const advice = `${found} does not run (${version.said.slice(0, 200)}). Install it again: ${INSTALL_CODEX}`
    return { ...base, found: false, binary: found, login: 'unknown', advice }
  }
  const login = loginOf(env, status)
  const advice = adviceFor(login, number)
  const known = { found: true, version: number, binary: found, login }
  return { ...base, ...known, ...(advice ? { advice } : {}) }
}

interface Answer {
  ok: boolean
  said: string
}

/** "Not logged in" ends with 1, so does a provider of their own that needs no login here: only the words tell. */
function loginOf(env: Env, status: Answer): Detection['login'] {
  if (env['CODEX_API_KEY']) return 'ready'
  if (status.ok) return 'ready'
  return /not logged in/i.test(status.said) ? 'needed' : 'unknown'
}

function adviceFor(login: Detection['login'], version: string): string | undefined {
  if (login === 'needed') return 'Log in: codex login'
  if (isLeast(version, LEAST_APP_SERVER)) return undefined
  return `This version shows no text while it works and takes no corrections. Update it: ${INSTALL_CODEX}`
}

/** Never rejects: what went wrong is what it said. */
function ask(binary: string, args: string[], env: Env): Promise<Answer> {
  const options = { env, timeout: LOOK_MS, maxBuffer: 1 << 20 }
  return new Promise((resolve) => {
    const child = execFile(binary, args, options, (error, stdout, stderr) =>
      resolve({
        ok: error === null,
        said: stdout.trim() || stderr.trim() || (error?.message ?? ''),
      }),
    )
    child.stdin?.end()
  })
}
