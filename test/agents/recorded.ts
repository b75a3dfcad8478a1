import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, onTestFinished } from 'vitest'
import type { RunSpec } from '../../contracts/agent.ts'
import { type ModelServer, startModelServer } from '../model-server/model-server.ts'
import { cleanRecording } from './clean-recording.ts'
import type { Driver, Installed } from './drivers.ts'

/** `npm run recordings` makes all recordings anew, with the real programs, and what reads them is left out; else they are played. */
export const isRecording = process.env['DISPATCH_RECORD'] === '1'

const besides = (path: string) => fileURLToPath(new URL(path, import.meta.url))
const folderOf = (agent: string) => besides(`./recordings/${agent}`)
const fileOf = (agent: string, recording: string) => join(folderOf(agent), `${recording}.jsonl`)

/** The conversations of an agent, each made by the test of the same title. */
export interface Tape {
  /** Scripts the real program while it is recorded. */
  readonly model: ModelServer
  /** Puts what plays a recording in the place of the agent's program, or what makes it. */
  insert(
    spec: Pick<RunSpec, 'runId' | 'cwd' | 'env'>,
    recording?: string,
  ): Pick<RunSpec, 'binary' | 'env'>
}

/** The tape of one agent for the tests of a file. */
export function tapeOf(driver: Driver): Tape {
  let model: ModelServer | undefined
  let installed: Installed | undefined
  beforeAll(async () => {
    if (isRecording) installed = await driver.install()
    model = await startModelServer()
  }, 600_000)
  afterAll(() => model?.close())
  return {
    get model() {
      if (!model) throw new Error('asked for before the tests began')
      return model
    },
    insert(spec, recording = recordingOf(currentTitle())) {
      const file = fileOf(driver.name, recording)
      if (!installed)
        return { binary: besides('./player.mjs'), env: { ...spec.env, PLAYER_FILE: file } }
      // outlives the test's home
      const raw = join(tmpdir(), `dispatch-recording-${spec.runId}.jsonl`)
      const machine = {
        ...{ cwd: spec.cwd, home: dirname(spec.cwd) },
        model: `http://127.0.0.1:${model?.port}`,
        agents: dirname(installed.binary.split('/node_modules/')[0] ?? ''),
      }
      onTestFinished(({ task }) => {
        if (!existsSync(raw)) return
        const agent = nameOf(driver)
        mkdirSync(dirname(file), { recursive: true })
        if (task.result?.state === 'pass')
          writeFileSync(file, cleanRecording(readFileSync(raw, 'utf8'), agent, machine))
        rmSync(raw)
      })
      const env = { RECORDER_PROGRAM: installed.binary, RECORDER_FILE: raw }
      return {
        binary: besides('./recorder.mjs'),
        env: { ...spec.env, ...installed.env, ...env },
      }
    },
  }
}

/** What stands in a recording as the agent that was recorded. */
export const nameOf = ({ title, version }: Driver): string => `${title} ${version}`

/** The recording that the test of this title makes. */
export const recordingOf = (title: string): string =>
  title
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-|-$/g, '')

const currentTitle = () => expect.getState().currentTestName?.split(' > ').at(-1) ?? ''

/** One line of a recording (recorder.mjs). */
interface RecordedLine {
  run?: object
  agent?: unknown
}

/** What the agent said in the last run of a recording. */
export function saidIn<Message>(agent: string, title: string): Message[] {
  const text = readFileSync(fileOf(agent, recordingOf(title)), 'utf8')
  const lines: RecordedLine[] = text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
  const last = lines.findLastIndex(({ run }) => run !== undefined)
  return lines.slice(last).flatMap((line) => (line.agent ? [line.agent as Message] : []))
}

/** An agent's recordings as they are kept. */
export const recordingsOf = (agent: string): string[] =>
  readdirSync(folderOf(agent)).map((name) => readFileSync(join(folderOf(agent), name), 'utf8'))
