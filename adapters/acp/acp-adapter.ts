import { accessSync, constants, statSync } from 'node:fs'
import { delimiter, isAbsolute, join } from 'node:path'
import type { AcpAgent, Detection, RunSpec } from '../../contracts/agent.ts'
import type { Adapter, AdapterIo, AgentSession } from '../adapter.ts'
import { missingSession } from '../missing-session.ts'
import { openAcpSession } from './acp-session.ts'

type Env = Readonly<Record<string, string | undefined>>

/**
 * Any agent that speaks the Agent Client Protocol over stdio (https://agentclientprotocol.com). `name`: `acp:<name>`; `agent`: its command
 * line as the person configured it. How it is logged in, and how it stores its sessions, is its own business.
 */
export function createAcpAdapter(name: string, agent: AcpAgent): Adapter {
  const title = agent.title ?? name.replace(/^acp:/, '')
  const open = (spec: RunSpec, io: AdapterIo): AgentSession => {
    const command = spec.binary ?? findProgram(agent.command, spec.env)
    const isFolder = statSync(spec.cwd, { throwIfNoEntry: false })?.isDirectory() === true
    if (command === undefined) return missingSession(adviceFor(agent))
    if (!isFolder) return missingSession(`The working folder ${spec.cwd} does not exist.`)
    return openAcpSession(spec, io, { title, command, args: agent.args ?? [] })
  }
  return {
    name,
    title,
    demo: false,
    loginVariables: agent.env ?? [],
    async detect(env): Promise<Detection> {
      const base = { adapter: name, title, demo: false, login: 'unknown' as const }
      const binary = findProgram(agent.command, env)
      return binary === undefined
        ? { ...base, found: false, advice: adviceFor(agent) }
        : { ...base, found: true, binary }
    },
    start: (spec, io) => open(spec, io),
    resume: (spec, io) => open(spec, io),
  }
}

const adviceFor = ({ command }: AcpAgent) =>
  `${command} is not there: install it, or correct its command in config.toml`

function findProgram(command: string, { PATH = '' }: Env): string | undefined {
  const places = isAbsolute(command)
    ? [command]
    : PATH.split(delimiter)
        .filter((folder) => folder !== '')
        .map((folder) => join(folder, command))
  return places.find(isProgram)
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    // Not there, or not ours to run: the next place.
    return false
  }
}
