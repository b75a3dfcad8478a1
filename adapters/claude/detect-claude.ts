import { execFile } from 'node:child_process'
import type { Detection } from '../../contracts/agent.ts'
import { CLAUDE_VARIABLES } from './claude-session.ts'
import { findClaude, INSTALL_CLAUDE } from './find-claude.ts'

const LOOK_MS = 8_000
/** The SDK speaks with older ones too, but those do not report what becomes of a correction. */
const LEAST_VERSION = [2, 1, 300] as const

type Env = Readonly<Record<string, string | undefined>>

/**
 * Finds Claude Code and asks it who it is and whether it is logged in (`claude --version`, `claude auth status`): both answer from
 * what is on the disk, cost nothing and ask nothing. `env`: the environment that its runs would get.
 */
export async function detectClaude(env: Env, base: DetectionBase): Promise<Detection> {
  const binary = findClaude(env)
  if (binary === undefined)
    return { ...base, found: false, login: 'unknown', advice: `Install it: ${INSTALL_CLAUDE}` }
  const [version, status] = await Promise.all([
    ask(binary, ['--version'], env),
    ask(binary, ['auth', 'status', '--json'], env),
  ])
  const number = /\d+\.\d+\.\d+/.exec(version.said)?.[0]
  if (number === undefined) {
    const advice = `${binary} does not run (${version.said.slice(0, 200)}). Install it again: ${INSTALL_CLAUDE}`
    return { ...base, found: false, binary, login: 'unknown', advice }
  }
  const login = loginOf(status.said)
  const advice = adviceFor(login, number)
  return { ...base, found: true, version: number, binary, login, ...(advice ? { advice } : {}) }
}

type DetectionBase = Pick<Detection, 'adapter' | 'title' | 'demo'>

function loginOf(said: string): Detection['login'] {
  try {
    const { loggedIn } = JSON.parse(said) as { loggedIn?: unknown }
    if (typeof loggedIn === 'boolean') return loggedIn ? 'ready' : 'needed'
  } catch {
    // A version without this command says something else: its first run will tell.
  }
  return 'unknown'
}

function adviceFor(login: Detection['login'], version: string): string | undefined {
  if (login === 'needed') return 'Log in: claude auth login'
  const parts = version.split('.').map(Number)
  const at = LEAST_VERSION.findIndex((least, index) => parts[index] !== least)
  const isOld = at !== -1 && (parts[at] ?? 0) < (LEAST_VERSION[at] ?? 0)
  return isOld
    ? 'This version takes no corrections while it works. Update it: claude update'
    : undefined
}

/** Never rejects: what went wrong is what it said. */
function ask(binary: string, args: string[], env: Env): Promise<{ said: string }> {
  const options = { env: { ...env, ...CLAUDE_VARIABLES }, timeout: LOOK_MS, maxBuffer: 1 << 20 }
  return new Promise((resolve) => {
    const child = execFile(binary, args, options, (error, stdout, stderr) =>
      resolve({ said: stdout.trim() || stderr.trim() || (error?.message ?? '') }),
    )
    child.stdin?.end()
  })
}
