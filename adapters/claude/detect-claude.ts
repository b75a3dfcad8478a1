import type { Capability, Detection } from '../../contracts/agent.ts'
import { askProgram } from '../ask-program.ts'
import { chooseProgram, type ProgramSearch } from '../find-program.ts'
import { copiesOf } from '../look-at-copies.ts'
import { isLeast, versionIn } from '../version.ts'
import { CLAUDE_VARIABLES } from './claude-session.ts'
import { INSTALL_CLAUDE } from './find-claude.ts'

/** The SDK speaks with older ones too, but those do not report what becomes of a correction. */
const LEAST_VERSION = [2, 1, 300] as const
const CAPABILITIES = ['streams', 'resumes', 'structured', 'cost', 'read_only'] as const

type DetectionBase = Pick<Detection, 'adapter' | 'title' | 'demo'>

/**
 * Finds Claude Code and asks it who it is and whether it is logged in (`claude --version`, `claude auth status`): both answer from
 * what is on the disk, cost nothing and ask nothing. `search.env`: the environment that its runs would get.
 */
export async function detectClaude(search: ProgramSearch, base: DetectionBase): Promise<Detection> {
  const choice = chooseProgram('claude', search)
  const env = { ...search.env, ...CLAUDE_VARIABLES }
  const binary = choice.chosen?.path
  if (binary === undefined) {
    const copies = await copiesOf(choice, 'claude', env)
    const advice = choice.problem ?? `Install it: ${INSTALL_CLAUDE}`
    return { ...base, found: false, login: 'unknown', advice, ...copies }
  }
  const [version, status, copies] = await Promise.all([
    askProgram(binary, ['--version'], env),
    askProgram(binary, ['auth', 'status', '--json'], env),
    copiesOf(choice, 'claude', env),
  ])
  const number = versionIn(version.said)
  if (number === undefined) {
    const advice = `${binary} does not run (${version.said.slice(0, 200)}). Install it again: ${INSTALL_CLAUDE}`
    return { ...base, found: false, binary, login: 'unknown', advice, ...copies }
  }
  const login = loginOf(status.said)
  const isNew = isLeast(number, LEAST_VERSION)
  const advice = adviceFor(login, isNew)
  const capabilities: Capability[] = [...CAPABILITIES, ...(isNew ? ['corrections' as const] : [])]
  const known = { found: true, version: number, binary, login, capabilities }
  return { ...base, ...known, ...copies, ...(advice ? { advice } : {}) }
}

function loginOf(said: string): Detection['login'] {
  try {
    const { loggedIn } = JSON.parse(said) as { loggedIn?: unknown }
    if (typeof loggedIn === 'boolean') return loggedIn ? 'ready' : 'needed'
  } catch {
    // A version without this command says something else: its first run will tell.
  }
  return 'unknown'
}

function adviceFor(login: Detection['login'], isNew: boolean): string | undefined {
  if (login === 'needed') return 'Log in: claude auth login'
  return isNew
    ? undefined
    : 'This version takes no corrections while it works. Update it: claude update'
}
