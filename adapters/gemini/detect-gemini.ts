import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Detection } from '../../contracts/agent.ts'
import { findGemini, INSTALL_GEMINI } from './find-gemini.ts'
import { authTypeOf, loginOf, personsFolder } from './run-home.ts'

const LOOK_MS = 8_000
/** The first whose extensions' hooks run in a folder that is not trusted, and that takes `--session-id`, as far as was tested. */
const TESTED_VERSION = [0, 61, 0] as const

type Env = Readonly<Record<string, string | undefined>>
type DetectionBase = Pick<Detection, 'adapter' | 'title' | 'demo'>

/** Finds Gemini CLI and asks for its version; whether it is logged in is read from what is on the disk. Costs nothing, asks nothing. */
export async function detectGemini(env: Env, base: DetectionBase): Promise<Detection> {
  const binary = findGemini(env)
  if (binary === undefined)
    return { ...base, found: false, login: 'unknown', advice: `Install it: ${INSTALL_GEMINI}` }
  const said = await ask(binary, env)
  const version = /\d+\.\d+\.\d+/.exec(said)?.[0]
  if (version === undefined) {
    const advice = `${binary} does not run (${said.slice(0, 200)}). Install it again: ${INSTALL_GEMINI}`
    return { ...base, found: false, binary, login: 'unknown', advice }
  }
  const login = loginState(env)
  const advice = adviceFor(login, version)
  return { ...base, found: true, version, binary, login, ...(advice ? { advice } : {}) }
}

function loginState(env: Env): Detection['login'] {
  const type = authTypeOf(env)
  if (type === undefined) return 'needed'
  const has = (name: string) => existsSync(join(personsFolder(env), name))
  // where keys are kept that were typed into its dialog; on some systems their keychain holds them instead
  if (has('gemini-credentials.json')) return 'ready'
  if (type === 'gemini-api-key') return loginOf(env)['GEMINI_API_KEY'] ? 'ready' : unlessKeychain()
  if (type === 'oauth-personal') return has('oauth_creds.json') ? 'ready' : unlessKeychain()
  return 'unknown'
}

const unlessKeychain = () => (process.platform === 'darwin' ? 'unknown' : 'needed')

function adviceFor(login: Detection['login'], version: string): string | undefined {
  if (login === 'needed') return 'Log in: start gemini and choose how, or set GEMINI_API_KEY'
  const parts = version.split('.').map(Number)
  const at = TESTED_VERSION.findIndex((least, index) => parts[index] !== least)
  const isOld = at !== -1 && (parts[at] ?? 0) < (TESTED_VERSION[at] ?? 0)
  return isOld
    ? `Tested with ${TESTED_VERSION.join('.')} and later. Update it: ${INSTALL_GEMINI}`
    : undefined
}

/** Never rejects: what went wrong is what it said. */
function ask(binary: string, env: Env): Promise<string> {
  const options = {
    env: { ...env, GEMINI_CLI_NO_RELAUNCH: 'true' },
    timeout: LOOK_MS,
    maxBuffer: 1 << 20,
  }
  return new Promise((resolve) => {
    const child = execFile(binary, ['--version'], options, (error, stdout, stderr) =>
      resolve(stdout.trim() || stderr.trim() || (error?.message ?? '')),
    )
    child.stdin?.end()
  })
}
