import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { historyFromJSON } from '@temporalio/common/lib/proto-utils.js'
import { Worker } from '@temporalio/worker'
import { DeterminismViolationError } from '@temporalio/workflow'
import { beforeAll, describe, expect, inject, test } from 'vitest'

/**
 * Histories of real goals, taken from the journeys (`npm run histories`): one or more for every stage and answer. Those
 * named `before-` are of workflows that began when all their activities were queued.
 */
const FOLDER = join(import.meta.dirname, '..', 'temporal', 'histories')
const files = readdirSync(FOLDER).filter((file) => file.endsWith('.json'))
const read = (file: string) => JSON.parse(readFileSync(join(FOLDER, file), 'utf8'))
/** In bytes (decision 044). */
const LARGEST_PAYLOAD = 4_000
const bundle = () => ({ codePath: join(inject('dist'), 'workflow-bundle.js') })

interface HistoryEvent {
  activityTaskScheduledEventAttributes?: { activityType: { name: string } }
  markerRecordedEventAttributes?: {
    markerName: string
    details: { data?: { payloads: { data: string }[] } }
  }
}

/** Activity names in a history, as scheduled or as done in place. */
function activitiesOf(history: { events: HistoryEvent[] }): string[] {
  return history.events.flatMap(
    (event) =>
      event.activityTaskScheduledEventAttributes?.activityType.name ?? doneInPlace(event) ?? [],
  )
}

/** The SDK keeps the answer of a local activity as a marker of this name, with JSON that says what was done. */
function doneInPlace({ markerRecordedEventAttributes: marker }: HistoryEvent): string | undefined {
  const data = marker?.details.data?.payloads[0]?.data
  if (marker?.markerName !== 'core_local_activity' || data === undefined) return undefined
  return JSON.parse(Buffer.from(data, 'base64').toString('utf8')).activity_type
}

const RENAMED = 'with a renamed activity'
const errors = new Map<string, Error | undefined>()

/** All by one worker, whose start takes longer than most replays. */
beforeAll(async () => {
  const told = files.map((file) => ({ workflowId: file, history: historyFromJSON(read(file)) }))
  const renamed = { workflowId: RENAMED, history: historyFromJSON(withRenamedActivity()) }
  const all = [...told, renamed]
  for await (const { workflowId, error } of Worker.runReplayHistories(
    { workflowBundle: bundle() },
    all,
  ))
    errors.set(workflowId, error)
  expect([...errors.keys()].sort()).toEqual(all.map(({ workflowId }) => workflowId).sort())
})

function withRenamedActivity(): unknown {
  const file = files.find((name) => activitiesOf(read(name)).includes('runStage')) as string
  return JSON.parse(JSON.stringify(read(file)).replaceAll('"name":"runStage"', '"name":"doStage"'))
}

describe('workflows of today go on with histories of before', () => {
  test.each(files)('%s', (file) => {
    expect(errors.get(file)).toBeUndefined()
  })

  test('the histories hold every activity that workflows know', () => {
    const seen = new Set(files.flatMap((file) => activitiesOf(read(file))))
    const all = [
      'startGoal',
      'runStage',
      'openReview',
      'settleReview',
      'integrateTask',
      'mergeGoal',
      'report',
      'endGoal',
      'approveSpec',
    ]
    expect([...seen].sort()).toEqual(all.sort())
  })

  test('a history carries ids and verdicts, no prompts and no diffs', () => {
    for (const file of files) {
      const payloads = [...JSON.stringify(read(file)).matchAll(/"data":"([^"]*)"/g)]
      const largest = Math.max(...payloads.map(([, data = '']) => (data.length / 4) * 3))
      expect(largest, file).toBeLessThan(LARGEST_PAYLOAD)
    }
  })

  test('a renamed activity is noticed', () => {
    expect(errors.get(RENAMED)).toBeInstanceOf(DeterminismViolationError)
  })
})
