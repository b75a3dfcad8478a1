import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { anthropic } from './anthropic.ts'
import type { Dialect } from './dialect.ts'
import { gemini } from './gemini.ts'
import { openai } from './openai.ts'
import { SCENARIOS } from './scenarios.ts'
import {
  type ModelRequest,
  type PlainStep,
  type RecordedRequest,
  type Step,
  type StepUsage,
  USUAL_USAGE,
} from './step.ts'

const DIALECTS: readonly Dialect[] = [anthropic, gemini, openai]

/** A scripted model on loopback. Scenario and run ride in the base URL, so that any number of agents can use one server. */
export interface ModelServer {
  port: number
  /** The base URL for an agent's run; the scenario is a key of `SCENARIOS` unless `script` was called for the run. */
  url(scenario: string, run: string): string
  /** Gives a run steps of its own. */
  script(run: string, steps: readonly Step[]): void
  /** Requests to the model so far, oldest first. */
  requests(run: string): RecordedRequest[]
  /** The first request of the run that is as asked, now or later. */
  request(run: string, wanted: (request: RecordedRequest) => boolean): Promise<RecordedRequest>
  /** Tokens of the answers that were handed over whole, side requests included. */
  charged(run: string): StepUsage
  /** Resolves when no answer of the run is being given: that of an agent which was killed may still be. */
  quiet(run: string): Promise<void>
  close(): Promise<void>
}

/** Who disturbs the model and reads its bill. */
export interface Onlooker {
  /** What happens to a main request instead of the scripted step; undefined lets it be answered. */
  fault(request: ModelRequest): PlainStep | undefined
  /** An answer was handed over whole: its tokens are charged. */
  charged(request: ModelRequest, usage: StepUsage): void
  /** An answer was begun and broken off, or goes on for ever: what its beginning says of its tokens. */
  begun?(request: ModelRequest, usage: StepUsage): void
}

export interface ModelServerOptions {
  /** 0 is any free one. */
  port?: number
  onlooker?: Onlooker
  /** False: requests are answered and forgotten, for those who make very many. */
  keeps?: boolean
}

interface Run {
  steps: readonly Step[]
  next: number
  failures: number
  requests: RecordedRequest[]
  charged: StepUsage
  /** Answers that are being given. */
  open: number
}

const emptyRun = (): Run => ({
  steps: [],
  next: 0,
  failures: 0,
  requests: [],
  charged: { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 },
  open: 0,
})

const ROUTE = /^\/s\/([^/]+)\/([^/]+)(\/[^?]*)/

/** Listens on 127.0.0.1 only. */
export async function startModelServer({
  port = 0,
  keeps = true,
  onlooker,
}: ModelServerOptions = {}): Promise<ModelServer> {
  const runs = new Map<string, Run>()
  const waiting = new Set<() => void>()
  const runOf = (name: string, scenario = ''): Run => {
    const run = runs.get(name) ?? emptyRun()
    // who only looks at a run does not choose its script
    if (run.steps.length === 0) run.steps = SCENARIOS[scenario] ?? []
    runs.set(name, run)
    return run
  }
  const server = createServer((request, response) => {
    response.on('error', () => response.destroy())
    void serve(request, response, {
      ...{ runOf, keeps, onlooker, told: () => [...waiting].map((look) => look()) },
    }).catch((error: Error) => {
      if (response.headersSent) return void response.destroy()
      response.writeHead(500).end(`model server: ${error.stack}`)
    })
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  const listening = (server.address() as AddressInfo).port
  return {
    port: listening,
    url: (scenario, run) => `http://127.0.0.1:${listening}/s/${scenario}/${run}`,
    script: (run, steps) => {
      runOf(run).steps = steps
    },
    requests: (run) => runOf(run).requests,
    charged: (run) => runOf(run).charged,
    async quiet(run) {
      // what a process sent before it died is read by now
      await new Promise((resolve) => setImmediate(resolve))
      await new Promise<void>((resolve) => {
        const look = () => {
          if (runOf(run).open > 0) return
          waiting.delete(look)
          resolve()
        }
        waiting.add(look)
        look()
      })
    },
    request: (run, wanted) =>
      new Promise((resolve) => {
        const look = () => {
          const found = runOf(run).requests.find(wanted)
          if (!found) return
          waiting.delete(look)
          resolve(found)
        }
        waiting.add(look)
        look()
      }),
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

interface Context {
  runOf(name: string, scenario: string): Run
  told(): void
  keeps: boolean
  onlooker: Onlooker | undefined
}

async function serve(
  incoming: IncomingMessage,
  response: ServerResponse,
  { runOf, told, keeps, onlooker }: Context,
): Promise<void> {
  const text = await readAll(incoming)
  const [, scenario = '', name = '', path = ''] = ROUTE.exec(incoming.url ?? '') ?? []
  const method = incoming.method ?? 'GET'
  const dialect = DIALECTS.find((each) => each.serves(method, path))
  if (!dialect) return void response.writeHead(404).end()
  const body: unknown = text === '' ? undefined : JSON.parse(text)
  const read = dialect.read(path, body)
  if (!read) return dialect.otherwise(path, body, response)
  const run = runOf(name, scenario)
  const request: ModelRequest = { ...read, run: name }
  const fault = request.kind === 'main' ? onlooker?.fault(request) : undefined
  const { step, index } = fault ? { step: fault, index: -1 } : stepFor(run, request)
  const headers = incoming.headers as Record<string, string>
  if (keeps)
    run.requests.push({ ...request, at: performance.now(), path, step: index, headers, body })
  run.open += 1
  told()
  const usage = { ...USUAL_USAGE, ...step.usage }
  try {
    if (step.delayMs) await new Promise((resolve) => setTimeout(resolve, step.delayMs))
    if (!(await dialect.play({ step, usage, request, path, body, response }))) {
      if (!BEGINS_NOTHING.includes(step.do)) onlooker?.begun?.(request, { ...usage, output: 1 })
      return
    }
    for (const key of ['input', 'output', 'cacheRead', 'cacheWrite'] as const)
      run.charged[key] += usage[key]
    onlooker?.charged(request, usage)
  } finally {
    run.open -= 1
    told()
  }
}

/** What is no beginning of an answer; one of any other kind may be broken off by an agent that is killed. */
const BEGINS_NOTHING: readonly PlainStep['do'][] = ['fail', 'hang', 'garbage']

const stepFor = (run: Run, request: ModelRequest) =>
  request.kind === 'main' ? nextStep(run, request) : sideStep(request)

interface Next {
  step: PlainStep
  index: number
}

function nextStep(run: Run, request: ModelRequest): Next {
  const index = Math.min(run.next, run.steps.length - 1)
  const step = run.steps[index]
  if (!step) throw new Error(`no script for run ${request.run}`)
  if (step.do === 'fail') {
    run.failures += 1
    if (step.times !== undefined && run.failures > step.times) {
      run.next += 1
      run.failures = 0
      return nextStep(run, request)
    }
    return { step, index }
  }
  run.next += 1
  return { step: decided(step, request), index }
}

function decided(step: Step, request: ModelRequest): PlainStep {
  return step.do === 'decide' ? decided(step.by(request), request) : step
}

function sideStep({ kind }: ModelRequest): Next {
  const text =
    kind === 'compaction' ? '<summary>What was done so far: a scripted summary.</summary>' : 'ok'
  const usage = { input: 10, output: 5, cacheRead: 0, cacheWrite: 0 }
  return { step: { do: 'say', text, usage }, index: -1 }
}

async function readAll(incoming: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of incoming) chunks.push(chunk)
  return Buffer.concat(chunks).toString('utf8')
}
