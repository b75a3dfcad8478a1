import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { AgentEvent, RunSpec } from '../../contracts/agent.ts'
import type { Adapter, AdapterIo, AgentSession } from '../adapter.ts'
import type { CliLine } from '../cli-process.ts'
import { openCliSession } from '../cli-session.ts'
import type { DemoInput, DemoOutput } from './wire.ts'

export const DEMO_TITLE = 'Demo agent (scripted, built in)'

/**
 * The built-in scripted agent: a program of its own, run like any other CLI. Its sessions are files under `DEMO_HOME` (default
 * `$HOME/.dispatch-demo`). `program`: its built file, by default `demo-agent.cjs` beside the running one; `RunSpec.binary` goes first.
 */
export function createDemoAdapter(
  program = fileURLToPath(new URL('./demo-agent.cjs', import.meta.url)),
): Adapter {
  const open = (spec: RunSpec, io: AdapterIo, session: string[]): AgentSession =>
    openCliSession(spec, io, {
      command: process.execPath,
      args: [spec.binary ?? program, '--home', demoHome(spec.env), ...session, ...modelOf(spec)],
      input: [
        line({
          type: 'prompt',
          text: spec.prompt,
          structured: spec.outputSchema !== undefined,
        }),
      ],
      read,
      correction: ({ id, text }) => line({ type: 'correct', id, text }),
    })
  return {
    name: 'demo',
    title: DEMO_TITLE,
    demo: true,
    loginVariables: ['DEMO_HOME'],
    needs: (env) => ({
      own: [{ folder: demoHome(env), shared: ['.'] }],
      programs: [program],
      hosts: [],
    }),
    async detect() {
      const base = { adapter: 'demo', title: DEMO_TITLE, demo: true, login: 'ready' as const }
      const known = { found: true, version: 'built in', binary: program, capabilities: CAN }
      if (existsSync(program)) return { ...base, ...known }
      return { ...base, found: false, advice: 'Build Dispatch first: npm run build' }
    },
    start: (spec, io) => open(spec, io, ['--session-id', spec.newSessionId]),
    resume: (spec, io) => open(spec, io, ['--resume', spec.resumeSessionId]),
  }
}

const CAN = ['streams', 'corrections', 'resumes', 'structured', 'cost'] as const
const demoHome = (env: Readonly<Record<string, string | undefined>>) =>
  env['DEMO_HOME'] ?? join(env['HOME'] ?? '/nonexistent', '.dispatch-demo')
const modelOf = (spec: RunSpec) => (spec.model === undefined ? [] : ['--model', spec.model])
const line = (input: DemoInput) => JSON.stringify(input)

function read({ text }: CliLine): AgentEvent[] {
  if (text === '') return []
  const output = parse(text)
  if (!output) return [{ type: 'notice', level: 'warn', text: text.slice(0, 2000) }]
  return [translate(output)]
}

/** Undefined for anything that is not a line of the demo agent's. */
function parse(text: string): DemoOutput | undefined {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  return typeof value === 'object' && value !== null && 'type' in value
    ? (value as DemoOutput)
    : undefined
}

function translate(output: DemoOutput): AgentEvent {
  switch (output.type) {
    case 'init':
      return { type: 'session', sessionId: output.session_id, model: output.model }
    case 'delta':
      return { type: 'text', text: output.text }
    case 'thinking':
      return { type: 'reasoning', text: output.text }
    case 'tool_start':
      return { type: 'tool', callId: output.id, name: output.name, input: output.input }
    case 'tool_end':
      return { type: 'tool_result', callId: output.id, ok: output.ok, output: output.output }
    case 'file':
      return { type: 'file', path: output.path, change: output.change }
    case 'usage':
      return { type: 'usage', usage: output.usage, costUsd: output.cost_usd }
    case 'retry': {
      const { attempt, reason, delay_ms: delayMs, detail } = output
      return { type: 'retry', attempt, reason, delayMs, detail }
    }
    case 'correction':
      return { type: 'correction', id: output.id, state: output.state }
    case 'notice':
      return { type: 'notice', level: 'info', text: output.text }
    case 'result':
      return {
        type: 'done',
        text: output.text,
        ...('output' in output ? { output: output.output } : {}),
      }
    case 'error': {
      const { reason, detail, until } = output
      return { type: 'failed', reason, detail, ...(until === undefined ? {} : { until }) }
    }
    default:
      output satisfies never
      return { type: 'notice', level: 'warn', text: JSON.stringify(output).slice(0, 2000) }
  }
}
