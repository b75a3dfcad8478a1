import type { AcpAgent, AgentEvent, Detection, RunSpec } from '../contracts/agent.ts'
import type { Adapter, AdapterIo, AgentSession } from './adapter.ts'
import { adapterFailed } from './endings.ts'
import type { ProgramSearch } from './find-program.ts'
import { endingLoops } from './loop-watch.ts'
import { endedSession, missingSession } from './missing-session.ts'
import { sandboxProblem } from './sandbox/probe.ts'

/** Every agent that Dispatch can drive. Loaded on use, so that the runner starts with one adapter and not with all. */
const ADAPTERS: Readonly<Record<string, () => Promise<Adapter>>> = {
  claude: async () => (await import('./claude/claude-adapter.ts')).createClaudeAdapter(),
  codex: async () => (await import('./codex/codex-adapter.ts')).createCodexAdapter(),
  gemini: async () => (await import('./gemini/gemini-adapter.ts')).createGeminiAdapter(),
  demo: async () => (await import('./demo/demo-adapter.ts')).createDemoAdapter(),
}

export const ADAPTER_NAMES: readonly string[] = Object.keys(ADAPTERS)

/** Agents of the Agent Client Protocol by name, from the person's configuration: they have no folder and no line here. */
export type AcpAgents = Readonly<Record<string, AcpAgent>>

const ACP = 'acp:'

/** What the person configured for an adapter of that name; undefined for every other. */
export function acpAgentOf(name: string, acpAgents: AcpAgents = {}): AcpAgent | undefined {
  const own = name.startsWith(ACP) ? name.slice(ACP.length) : ''
  return Object.hasOwn(acpAgents, own) ? acpAgents[own] : undefined
}

/** The adapter of that name, or undefined when there is none. `acp:<name>` is one that the person configured. */
export async function findAdapter(
  name: string,
  acpAgents: AcpAgents = {},
): Promise<Adapter | undefined> {
  if (Object.hasOwn(ADAPTERS, name)) return ADAPTERS[name]?.()
  const agent = acpAgentOf(name, acpAgents)
  return agent && (await import('./acp/acp-adapter.ts')).createAcpAdapter(name, agent)
}

/** Where all agents are looked for; `paths`: the programs that the person chose, by adapter. */
export type AgentSearch = Omit<ProgramSearch, 'path'> & {
  paths: Readonly<Record<string, string | undefined>>
}

/** What is installed on this machine, in the order of the registry, then of the configuration. */
export async function detectAdapters(
  { paths, ...search }: AgentSearch,
  acpAgents: AcpAgents = {},
): Promise<Detection[]> {
  const names = [...ADAPTER_NAMES, ...Object.keys(acpAgents).map((name) => `${ACP}${name}`)]
  const found = await Promise.all(
    names.map(async (name) =>
      (await findAdapter(name, acpAgents))?.detect({ ...search, path: paths[name] || undefined }),
    ),
  )
  return found.filter((each) => each !== undefined)
}

/** Starts or resumes what `spec` asks for; no agent goes round in a loop for long. An unknown adapter is a session that ends as `failed`/`missing`. */
export async function openSession(spec: RunSpec, io: AdapterIo): Promise<AgentSession> {
  if (spec.refused !== undefined) return missingSession(spec.refused)
  const agents = spec.acp ? { [spec.adapter.slice(ACP.length)]: spec.acp } : {}
  const adapter = await findAdapter(spec.adapter, agents)
  if (!adapter) return unknownAgent(spec.adapter)
  const problem = spec.sandbox && (await sandboxProblem())
  if (problem !== undefined) return missingSession(problem)
  const ready = spec.sandbox
    ? { ...spec, sandbox: { ...spec.sandbox, needs: adapter.needs(spec.env, spec.cwd) } }
    : spec
  const { resumeSessionId } = spec
  return endingLoops(
    safely(() =>
      resumeSessionId === undefined
        ? adapter.start(ready, io)
        : adapter.resume({ ...ready, resumeSessionId }, io),
    ),
  )
}

/** Whatever an adapter throws is how its session ends: a program that the system does not start, a folder that cannot be made for it. */
function safely(open: () => AgentSession): AgentSession {
  let session: AgentSession
  try {
    session = open()
  } catch (error) {
    return endedSession(adapterFailed(error))
  }
  async function* events(): AsyncGenerator<AgentEvent> {
    try {
      yield* session.events
    } catch (error) {
      yield adapterFailed(error)
    }
  }
  return { ...session, events: events() }
}

function unknownAgent(name: string): AgentSession {
  const hint = name.startsWith(ACP)
    ? ' Add it to config.toml as [acp.<name>] with its command.'
    : ''
  const detail = `There is no agent called "${name}". Known agents: ${ADAPTER_NAMES.join(', ')}.${hint}`
  return missingSession(detail)
}
