import { statSync } from 'node:fs'
import { isAbsolute } from 'node:path'
import type { AcpAgent, AgentNeeds, Detection, RunSpec } from '../../contracts/agent.ts'
import type { Adapter, AdapterIo, AgentSession } from '../adapter.ts'
import type { Env } from '../expand-place.ts'
import { chooseProgram, type ProgramSearch } from '../find-program.ts'
import { copiesOf } from '../look-at-copies.ts'
import { missingSession } from '../missing-session.ts'
import { openAcpSession } from './acp-session.ts'

/**
 * Any agent that speaks the Agent Client Protocol over stdio (https://agentclientprotocol.com). `name`: `acp:<name>`; `agent`: its command
 * line as the person configured it. How it is logged in, and how it stores its sessions, is its own business.
 */
export function createAcpAdapter(name: string, agent: AcpAgent): Adapter {
  const title = agent.title ?? name.replace(/^acp:/, '')
  const open = (spec: RunSpec, io: AdapterIo): AgentSession => {
    const command = spec.binary ?? choose(agent, { env: spec.env }).chosen?.path
    const isFolder = statSync(spec.cwd, { throwIfNoEntry: false })?.isDirectory() === true
    if (command === undefined) return missingSession(adviceFor(agent))
    if (!isFolder) return missingSession(`The working folder ${spec.cwd} does not exist.`)
    return openAcpSession(spec, io, { title, command, args: agent.args ?? [] })
  }
  return {
    name,
    title,
    demo: false,
    program: agent.command,
    loginVariables: agent.env ?? [],
    needs: (env) => acpNeeds(agent, env),
    async detect(search): Promise<Detection> {
      const choice = choose(agent, search)
      const copies = await copiesOf(choice, agent.command, search.env)
      const base = { adapter: name, title, demo: false, login: 'unknown' as const, ...copies }
      const binary = choice.chosen?.path
      return binary === undefined
        ? { ...base, found: false, advice: choice.problem ?? adviceFor(agent) }
        : { ...base, found: true, binary, capabilities: ['streams', 'corrections'] }
    },
    start: (spec, io) => open(spec, io),
    resume: (spec, io) => open(spec, io),
  }
}

/** Only the person knows what their agent keeps and whom it talks to. */
const acpNeeds = (
  { args = [], home = [], sessions = [], hosts = [] }: AcpAgent,
  env: Env,
): AgentNeeds => ({
  own: env['HOME'] ? [{ folder: env['HOME'], shared: home, apart: sessions }] : [],
  programs: args.filter(isAbsolute),
  hosts,
})

const adviceFor = ({ command }: AcpAgent) =>
  `${command} is not there: install it, or correct its command in config.toml`

/** The command is the person's choice: an absolute path is looked at alone. */
const choose = ({ command }: AcpAgent, search: ProgramSearch) =>
  chooseProgram(command, isAbsolute(command) ? { ...search, path: command } : search)
