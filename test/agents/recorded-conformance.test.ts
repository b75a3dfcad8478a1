import { describe, expect, test } from 'vitest'
import { adapterConformance } from '../../adapters/conformance.ts'
import type { RunSpec } from '../../contracts/agent.ts'
import { CLAUDE, CODEX, GEMINI } from './drivers.ts'
import { of, type Stage, usageOf } from './play.ts'
import { isRecording, nameOf, recordingOf, recordingsOf, tapeOf } from './recorded.ts'
import { SEAMS, type Seam, scriptOf, UNSEEN } from './seams.ts'

const NOT_ON_A_RECORDING = {
  ...UNSEEN,
  'leave-child': 'A recording has words and files, and no processes.',
  environment: 'A recording tells of the environment in which it was made.',
}

describe('On recordings of the real program', () => {
  for (const seam of SEAMS) playedFromTape(seam)
})

function playedFromTape({ driver, makeAdapter, sets, lead }: Seam): void {
  const tape = tapeOf(driver)
  adapterConformance(driver.name, {
    ...{ makeAdapter, sets, cannot: NOT_ON_A_RECORDING },
    play(scenario, base) {
      const led = lead(base, tape.model.url(scriptOf(scenario), base.runId))
      return { ...led, ...tape.insert({ ...base, ...led }) }
    },
  })

  describe(`Recordings of ${driver.name}`, () => {
    const staged = async (
      scenario: string,
      play: (at: Stage) => Promise<void>,
      { recording, ...more }: Partial<RunSpec> & { recording?: string } = {},
    ) => {
      const at = driver.stage(tape.model, scenario, { binary: driver.name, ...more })
      Object.assign(at.spec, tape.insert(at.spec, recording))
      await play(at).finally(at.remove)
    }

    // while they are recorded anew, there is nothing whole to look at yet
    test.skipIf(isRecording)('they are of the version that is driven, and of no machine', () => {
      for (const text of recordingsOf(driver.name)) {
        expect(text.slice(0, 200)).toContain(`{"run":{"agent":"${nameOf(driver)}"`)
        expect(text).not.toMatch(/\/tmp\/dispatch-|\/root\/|\/Users\/|\/home\/(?!person\b)/)
      }
    })

    const WRITES = recordingOf('a tool call has its result, and the file is really there')
    test.skipIf(isRecording)(
      'a written file: the words, the tool and its result, the file, the tokens',
      () =>
        staged(
          'write-file',
          async (at) => {
            const played = await at.play()
            expect(of(played, 'text').length).toBeGreaterThan(2)
            const [call] = of(played, 'tool')
            expect(call?.input).toContain('hello.txt')
            expect(of(played, 'tool_result')).toMatchObject([{ callId: call?.callId, ok: true }])
            // at once, so that Gemini's adapter may find it there already
            const change = driver === GEMINI ? expect.any(String) : 'create'
            expect(of(played, 'file')).toEqual([{ type: 'file', path: 'hello.txt', change }])
            expect(usageOf(played)).toMatchObject({ input: 2400, output: 68, cacheRead: 1600 })
            expect(played.terminal).toMatchObject({ type: 'done', output: { answer: 42 } })
          },
          { recording: WRITES },
        ),
    )

    test('a provider that fails is overloaded', () =>
      staged('500', async (at) => {
        const { terminal } = await at.play()
        expect(terminal).toMatchObject({ type: 'failed', reason: 'overloaded' })
      }))

    test('what it may not write is refused, and that is told', () =>
      staged(
        'read-only',
        async (at) => {
          const played = await at.play()
          const results = of(played, 'tool_result').map(({ ok }) => ok)
          expect(results.slice(0, 2)).toEqual([false, false])
          expect(of(played, 'file')).toEqual([])
        },
        { access: 'read' },
      ))

    // Gemini CLI writes it into its session's file, by ACP nobody tells it
    test.runIf([CLAUDE, CODEX].includes(driver))('a conversation that was shortened is told', () =>
      staged('compaction', async (at) => {
        const played = await driver.compacted(at, tape.model)
        expect(of(played, 'compaction')[0]).toMatchObject({ trigger: 'auto' })
        expect(played.terminal.type).toBe('done')
      }),
    )
  })
}
