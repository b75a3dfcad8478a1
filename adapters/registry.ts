import type { Detection, RunSpec } from '../contracts/agent.ts'
import type { Adapter, AdapterIo, AgentSession } from './adapter.ts'

/** Every agent that Dispatch can drive. Loaded on use, so that the runner starts with one adapter and not with all. */
const ADAPTERS: Readonly<Record<string, () => Promise<Adapter>>> = {
  claude: async () => (await import('./claude/claude-adapter.ts')).createClaudeAdapter(),
  codex: async () => (await import('./codex/codex-adapter.ts')).createCodexAdapter(),
  gemini: async () => (await import('./gemini/gemini-adapter.ts')).createGeminiAdapter(),
  demo: async () => (await import('./demo/demo-adapter.ts')).createDemoAdapter(),
}

export const ADAPTER_NAMES: readonly string[] = Object.keys(ADAPTERS)

/** The adapter of that name, or undefined when there is none. */
export async function findAdapter(name: string): Promise<Adapter | undefined> {
  return Object.hasOwn(ADAPTERS, name) ? ADAPTERS[name]?.() : undefined
}

/** What is installed on this machine, in the order of the registry. */
export async function detectAdapters(
  env: Readonly<Record<string, string | undefined>>,
): Promise<Detection[]> {
  return Promise.all(
    Object.values(ADAPTERS).map(async (load) => {
      const adapter = await load()
      return adapter.detect(env)
    }),
  )
}

/** Starts or resumes what `spec` asks for. An unknown adapter is a session that ends as `failed`/`missing`. */
export async function openSession(spec: RunSpec, io: AdapterIo): Promise<AgentSession> {
  const adapter = await findAdapter(spec.adapter)
  if (!adapter) return missingSession(spec.adapter)
  const { resumeSessionId } = spec
  return resumeSessionId === undefined
    ? adapter.start(spec, io)
    : adapter.resume({ ...spec, resumeSessionId }, io)
}

function missingSession(name: string): AgentSession {
  const detail = `There is no agent called "${name}". Known agents: ${ADAPTER_NAMES.join(', ')}.`
  async function* events() {
    yield { type: 'failed', reason: 'missing', detail } as const
  }
  return { events: events(), correct: () => undefined, interrupt: () => undefined }
}
