import { describe, expect, test } from 'vitest'
import { type DECISIONS, STAGES, type Stage } from '../contracts/stages.ts'
import {
  type Answer,
  afterAttention,
  type Circumstances,
  nextMove,
  readyStages,
  secondsToNextLook,
  secondsToNextTry,
} from './pipeline.ts'

const at = (stage: Stage, more: Partial<Circumstances> = {}): Circumstances => ({
  stage,
  verifyRounds: 0,
  maxVerifyRounds: 2,
  needsFrontend: false,
  skipSpecReview: false,
  ...more,
})
const passed: Answer = { type: 'passed' }
const failed: Answer = { type: 'failed', reason: 'why' }
const findings: Answer = { type: 'findings', summary: 'bad' }
const budget: Answer = { type: 'budget', summary: 'used up' }
const moved: Answer = { type: 'moved', summary: 'moved' }
const conflict: Answer = { type: 'conflict', summary: 'both' }
const decided = (
  decision: (typeof DECISIONS)[number],
  comment: string | null = 'a comment',
): Answer => ({
  type: 'decided',
  decision,
  comment,
})

/** Every stage and every answer that it can give. What is not in the table is refused (see below). */
const TABLE: [Stage, Answer, Partial<Circumstances>, object][] = [
  ['spec', passed, {}, { type: 'ask', kind: 'spec' }],
  ['spec', passed, { skipSpecReview: true }, { type: 'go', to: 'test_spec' }],
  ['spec', failed, {}, { type: 'attention', stage: 'spec', reason: 'why' }],
  ['spec', decided('approve'), { kind: 'spec' }, { type: 'go', to: 'test_spec' }],
  [
    'spec',
    decided('request_changes'),
    { kind: 'spec' },
    { type: 'again', stage: 'spec', feedback: 'a comment' },
  ],
  ['spec', decided('reject'), { kind: 'spec' }, { type: 'cancel', reason: 'a comment' }],
  [
    'spec',
    decided('reject', null),
    { kind: 'spec' },
    { type: 'cancel', reason: 'rejected in review' },
  ],
  ['test_spec', passed, {}, { type: 'go', to: 'implement' }],
  ['test_spec', failed, {}, { type: 'attention', stage: 'test_spec' }],
  ['security_spec', passed, {}, { type: 'go', to: 'implement' }],
  ['security_spec', failed, {}, { type: 'attention', stage: 'security_spec' }],
  ['implement', passed, {}, { type: 'go', to: 'verify' }],
  ['implement', passed, { needsFrontend: true }, { type: 'go', to: 'frontend' }],
  ['implement', failed, {}, { type: 'attention', stage: 'implement' }],
  ['implement', findings, {}, { type: 'attention', stage: 'implement', mendAt: 'implement' }],
  ...(['spec', 'test_spec', 'security_spec', 'audit'] as const).map(
    (stage): [Stage, Answer, Partial<Circumstances>, object] => [
      stage,
      budget,
      {},
      { type: 'ask', kind: 'budget', reason: 'used up' },
    ],
  ),
  ['implement', budget, {}, { type: 'ask', kind: 'budget', reason: 'used up' }],
  ['implement', decided('approve'), { kind: 'budget' }, { type: 'resume' }],
  [
    'implement',
    decided('reject', null),
    { kind: 'budget' },
    { type: 'cancel', reason: 'no more tokens were granted' },
  ],
  ['frontend', passed, {}, { type: 'go', to: 'verify' }],
  ['frontend', failed, {}, { type: 'attention', stage: 'frontend' }],
  ['frontend', findings, {}, { type: 'attention', stage: 'frontend', mendAt: 'frontend' }],
  ['frontend', budget, {}, { type: 'ask', kind: 'budget' }],
  ['verify', passed, {}, { type: 'go', to: 'review' }],
  ['verify', findings, { verifyRounds: 1 }, { type: 'again', stage: 'implement', feedback: 'bad' }],
  ['verify', findings, { verifyRounds: 2 }, { type: 'again', stage: 'implement', feedback: 'bad' }],
  [
    'verify',
    findings,
    { verifyRounds: 3 },
    { type: 'attention', stage: 'verify', reason: 'bad', mendAt: 'implement' },
  ],
  ['verify', failed, {}, { type: 'attention', stage: 'verify' }],
  ['verify', budget, {}, { type: 'ask', kind: 'budget' }],
  ['review', decided('approve'), { kind: 'task' }, { type: 'go', to: 'audit' }],
  [
    'review',
    decided('request_changes'),
    { kind: 'task' },
    { type: 'again', stage: 'implement', feedback: 'a comment' },
  ],
  ['review', decided('reject'), { kind: 'task' }, { type: 'cancel', reason: 'a comment' }],
  ['review', moved, {}, { type: 'again', stage: 'verify' }],
  ['review', conflict, {}, { type: 'again', stage: 'implement', feedback: 'both' }],
  ['review', failed, {}, { type: 'attention', stage: 'review' }],
  ['audit', passed, {}, { type: 'go', to: 'merge' }],
  ['audit', findings, {}, { type: 'ask', kind: 'merge', reason: 'bad' }],
  ['audit', failed, {}, { type: 'attention', stage: 'audit' }],
  ['audit', decided('approve'), { kind: 'merge' }, { type: 'go', to: 'merge' }],
  [
    'audit',
    decided('request_changes'),
    { kind: 'merge' },
    { type: 'again', stage: 'implement', feedback: 'a comment' },
  ],
  ['audit', decided('reject'), { kind: 'merge' }, { type: 'cancel' }],
  ['merge', passed, {}, { type: 'finish' }],
  ['merge', moved, {}, { type: 'ask', kind: 'merge', reason: 'moved' }],
  ['merge', failed, {}, { type: 'attention', stage: 'merge' }],
  ['merge', decided('approve'), { kind: 'merge' }, { type: 'go', to: 'merge' }],
  [
    'merge',
    decided('request_changes'),
    { kind: 'merge' },
    { type: 'again', stage: 'implement', feedback: 'a comment' },
  ],
  ['merge', decided('reject'), { kind: 'merge' }, { type: 'cancel', reason: 'a comment' }],
]

describe('what comes next', () => {
  test.each(TABLE)('%s, %o with %o', (stage, answer, more, move) => {
    expect(nextMove(answer, at(stage, more))).toMatchObject(move)
  })

  test('an answer that a stage cannot give is refused', () => {
    const known = new Set(TABLE.map(([stage, answer]) => `${stage}/${answer.type}`))
    for (const stage of STAGES)
      for (const answer of [passed, failed, findings, budget, moved, conflict]) {
        if (known.has(`${stage}/${answer.type}`)) continue
        expect(() => nextMove(answer, at(stage)), `${stage} ${answer.type}`).toThrow(
          'cannot answer',
        )
      }
  })

  test('a retry repeats what failed; work that was found wrong goes to the agent that can mend it', () => {
    const ofMove = { type: 'attention', stage: 'verify', reason: 'bad' } as const
    expect(afterAttention(ofMove, 'told')).toEqual({
      ...{ type: 'again', stage: 'verify', feedback: 'told' },
    })
    expect(afterAttention({ ...ofMove, mendAt: 'implement' }, 'told')).toEqual({
      ...{ type: 'again', stage: 'implement', feedback: 'bad' },
    })
  })

  test('stages run side by side where the pipeline lets them, and each once', () => {
    expect(readyStages([])).toEqual(['spec'])
    expect(readyStages(['spec'])).toEqual(['test_spec', 'security_spec'])
    expect(readyStages(['spec', 'test_spec'])).toEqual(['security_spec'])
    expect(readyStages(['spec', 'test_spec', 'security_spec'])).toEqual(['review'])
    expect(readyStages(['spec', 'test_spec', 'security_spec', 'review'])).toEqual(['audit'])
    expect(readyStages(['spec', 'test_spec', 'security_spec', 'review', 'audit'])).toEqual([
      'merge',
    ])
    expect(readyStages(['spec', 'test_spec', 'security_spec', 'review', 'audit', 'merge'])).toEqual(
      [],
    )
  })

  test('a year of waiting costs fewer than 400 looks', () => {
    let seconds = 0
    let looks = 0
    while (seconds < 365 * 86_400) seconds += secondsToNextLook(looks++, 0)
    expect(looks).toBeLessThan(400)
    for (seconds = 0, looks = 0; seconds < 365 * 86_400; ) seconds += secondsToNextTry(looks++, 0)
    expect(looks).toBeLessThan(400)
    expect(secondsToNextTry(0, 0)).toBe(10)
    expect(secondsToNextLook(0, 0)).toBe(600)
    expect(secondsToNextLook(0, 1)).toBe(480)
  })
})
