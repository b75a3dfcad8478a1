import type { Capability, Detection } from '../../contracts/agent.ts'
import { type Answer, askProgram } from '../ask-program.ts'
import type { Env } from '../expand-place.ts'
import { chooseProgram, type ProgramSearch } from '../find-program.ts'
import { copiesOf } from '../look-at-copies.ts'
import { isLeast, versionIn } from '../version.ts'
import { LEAST_PROFILES } from './access.ts'
import { INSTALL_CODEX, nativeProgram } from './find-codex.ts'
import { LEAST_APP_SERVER } from './open-thread.ts'

const CAPABILITIES = ['resumes', 'structured', 'read_only'] as const
/** Of its app-server, which older ones do not have. */
const OF_APP_SERVER = ['streams', 'corrections'] as const

type DetectionBase = Pick<Detection, 'adapter' | 'title' | 'demo'>

/**
 * Finds Codex and asks it who it is and whether it is logged in (`codex --version`, `codex login status`): both answer from what is on the
 * disk, cost nothing and ask nothing. `search.env`: the environment that its runs would get.
 */
export async function detectCodex(search: ProgramSearch, base: DetectionBase): Promise<Detection> {
  const { env } = search
  const choice = chooseProgram('codex', search)
  const found = choice.chosen?.path
  if (found === undefined) {
    const copies = await copiesOf(choice, 'codex', env)
    const advice = choice.problem ?? `Install it: ${INSTALL_CODEX}`
    return { ...base, found: false, login: 'unknown', advice, ...copies }
  }
  const binary = nativeProgram(found)
  const [version, status, copies] = await Promise.all([
    askProgram(binary, ['--version'], env),
    askProgram(binary, ['login', 'status'], env),
    copiesOf(choice, 'codex', env),
  ])
  const number = versionIn(version.said)
  if (number === undefined) {
    const advice = `${found} does not run (${version.said.slice(0, 200)}). Install it again: ${INSTALL_CODEX}`
    return { ...base, found: false, binary: found, login: 'unknown', advice, ...copies }
  }
  const login = loginOf(env, status)
  const isNew = isLeast(number, LEAST_APP_SERVER)
  const advice = adviceFor(login, number)
  const capabilities: Capability[] = [...CAPABILITIES, ...(isNew ? OF_APP_SERVER : [])]
  const known = { found: true, version: number, binary: found, login, capabilities }
  return { ...base, ...known, ...copies, ...(advice ? { advice } : {}) }
}

/** "Not logged in" ends with 1, so does a provider of their own that needs no login here: only the words tell. */
function loginOf(env: Env, status: Answer): Detection['login'] {
  if (env['CODEX_API_KEY']) return 'ready'
  if (status.ok) return 'ready'
  return /not logged in/i.test(status.said) ? 'needed' : 'unknown'
}

function adviceFor(login: Detection['login'], version: string): string | undefined {
  if (login === 'needed') return 'Log in: codex login'
  if (isLeast(version, LEAST_PROFILES)) return undefined
  const lacks = isLeast(version, LEAST_APP_SERVER)
    ? 'runs the commands that you once allowed for good outside its sandbox'
    : 'shows no text while it works and takes no corrections'
  return `This version ${lacks}. Update it: ${INSTALL_CODEX}`
}
