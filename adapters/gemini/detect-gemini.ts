import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Detection } from '../../contracts/agent.ts'
import { askProgram } from '../ask-program.ts'
import type { Env } from '../expand-place.ts'
import { chooseProgram, type ProgramSearch } from '../find-program.ts'
import { copiesOf } from '../look-at-copies.ts'
import { isLeast, versionIn } from '../version.ts'
import { INSTALL_GEMINI } from './find-gemini.ts'
import { authTypeOf, loginOf, personsFolder } from './run-home.ts'

/** The first whose extensions' hooks run in a folder that is not trusted, and that takes `--session-id`, as far as was tested. */
const TESTED_VERSION = [0, 61, 0] as const
const CAPABILITIES = ['streams', 'corrections', 'resumes', 'structured', 'read_only'] as const

type DetectionBase = Pick<Detection, 'adapter' | 'title' | 'demo'>

/** Finds Gemini CLI and asks for its version; whether it is logged in is read from what is on the disk. Costs nothing, asks nothing. */
export async function detectGemini(search: ProgramSearch, base: DetectionBase): Promise<Detection> {
  const choice = chooseProgram('gemini', search)
  const env = { ...search.env, GEMINI_CLI_NO_RELAUNCH: 'true' }
  const binary = choice.chosen?.path
  if (binary === undefined) {
    const copies = await copiesOf(choice, 'gemini', env)
    const advice = choice.problem ?? `Install it: ${INSTALL_GEMINI}`
    return { ...base, found: false, login: 'unknown', advice, ...copies }
  }
  const [{ said }, copies] = await Promise.all([
    askProgram(binary, ['--version'], env),
    copiesOf(choice, 'gemini', env),
  ])
  const version = versionIn(said)
  if (version === undefined) {
    const advice = `${binary} does not run (${said.slice(0, 200)}). Install it again: ${INSTALL_GEMINI}`
    return { ...base, found: false, binary, login: 'unknown', advice, ...copies }
  }
  const login = loginState(search.env)
  const advice = adviceFor(login, version)
  const known = { found: true, version, binary, login, capabilities: CAPABILITIES }
  return { ...base, ...known, ...copies, ...(advice ? { advice } : {}) }
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
  return isLeast(version, TESTED_VERSION)
    ? undefined
    : `Tested with ${TESTED_VERSION.join('.')} and later. Update it: ${INSTALL_GEMINI}`
}
