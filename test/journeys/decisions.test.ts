import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import type { Reply } from '../../contracts/api.ts'
import { type Installation, isOver, startInstallation } from '../support/installation.ts'

let at: Installation
beforeAll(async () => {
  at = await startInstallation()
})
afterAll(() => at.close())

interface Ended {
  code: number
  text: string
}

/** The built command line, as a person's shell runs it. */
function cli(...args: string[]): Promise<Ended> {
  const env = { PATH: process.env['PATH'], HOME: at.home, DISPATCH_URL: at.url }
  return new Promise((resolve) =>
    execFile(
      process.execPath,
      [join(inject('dist'), 'cli.js'), ...args],
      { env },
      (error, stdout, stderr) =>
        resolve({ code: error ? Number(error.code) : 0, text: stdout + stderr }),
    ),
  )
}

const REFUSED = 5

test('of 50 people at the API and at the command line one decides; the others are told who was first', async () => {
  const { id } = await at.project()
  const goal = await at.goal(id, 'Finish textkit [demo:all=instant] [demo:tasks=1]')
  const waiting = await at.until(goal.id, (g) => g.pendingReviews === 1)
  const review = waiting.reviews[0] as Reply<'getReview'>

  const stale = await at.call<{ code: string }>('POST', `/api/reviews/${review.id}/decision`, {
    decision: 'approve',
    hash: 'seen-before',
  })
  expect(stale).toMatchObject({ status: 409, body: { code: 'stale_hash' } })
  expect(await cli('approve', review.shortId, '--hash', 'seen-before')).toMatchObject({
    code: REFUSED,
    text: expect.stringContaining('changed since'),
  })

  const decisions = ['approve', 'reject'] as const
  // each is said ten times: the same again is no error, other words are
  const comments = ['yes', 'no', 'yes, but', 'no, because']
  const people = Array.from({ length: 40 }, async (_, i) => {
    const decision = decisions[i % 2]
    const answer = await at.call<{ detail: string }>('POST', `/api/reviews/${review.id}/decision`, {
      decision,
      hash: review.hash,
      comment: comments[i % 4],
    })
    return {
      ...{ decision, comment: comments[i % 4] },
      took: answer.status === 200,
      refused: answer.status === 409,
      text: answer.body.detail,
    }
  })
  const shells = Array.from({ length: 10 }, async (_, i) => {
    const decision = decisions[i % 2]
    const ended = await (decision === 'approve'
      ? cli('approve', review.shortId, '--yes')
      : cli('reject', review.shortId, `shell ${i}`))
    const comment = decision === 'approve' ? null : `shell ${i}`
    return {
      decision,
      comment,
      took: ended.code === 0,
      refused: ended.code === REFUSED,
      text: ended.text,
    }
  })
  const answers = await Promise.all([...people, ...shells])

  const rows = await at.database.knex('reviews').where({ id: review.id })
  const { decision: won, comment: said } = rows[0]
  for (const { decision, comment, took, refused, text } of answers) {
    const same = decision === won && comment === said
    expect({ took, refused }, text).toEqual({ took: same, refused: !same })
    if (refused) expect(text).toMatch(/(approved|rejected) by/)
  }
  const told = await at.database
    .knex('events')
    .where({ stream: `goal/${goal.id}`, type: 'review.decided' })
  expect(told).toHaveLength(1)
  const over = won === 'reject' ? await at.until(goal.id, isOver) : await at.approveAll(goal.id)
  expect(over.status).toBe(won === 'reject' ? 'cancelled' : 'completed')
}, 120_000)
