import { afterAll, beforeAll, expect, test } from 'vitest'
import { insertGoal, insertRun } from './support/rows.ts'
import { startTestApi, type TestApi } from './support/test-api.ts'

let at: TestApi
beforeAll(async () => {
  at = await startTestApi()
})
afterAll(() => at.close())

/** A goal's run that takes corrections, and the project that they are of. */
async function someRun() {
  const goal = await insertGoal(at.database)
  const { project_id: project } = await at.database.knex('goals').where({ id: goal }).first()
  const run = await insertRun(at.database, goal)
  const correct = async (...texts: string[]) => {
    for (const text of texts)
      expect((await at.call('POST', `/api/agents/${run}/corrections`, { text })).status).toBe(201)
  }
  const waiting = async () =>
    (await at.call('GET', `/api/suggestions?project=${project}`)).body.items
  return { goal, project, correct, waiting }
}

test('two corrections alike are none; the third makes a suggestion, with who said it and where', async () => {
  const { correct, waiting } = await someRun()
  await correct(
    'Please use tabs for indentation',
    'Write the tests first',
    'Use tabs for indentation.',
  )
  expect(await waiting()).toEqual([])
  await correct('Indentation: tabs')
  const [suggestion, ...others] = await waiting()
  expect(others).toEqual([])
  expect(suggestion).toMatchObject({
    text: 'Indentation: tabs',
    status: 'pending',
    profileName: 'Demo',
  })
  expect(suggestion.shortId).toMatch(/^S-\d+$/)
  expect(suggestion.corrections).toHaveLength(3)
  expect(suggestion.corrections[0]).toMatchObject({
    by: 'person:sam',
    runShortId: expect.stringMatching(/^A-/),
  })
})

test('alike in two projects is no habit of either', async () => {
  const [one, other] = [await someRun(), await someRun()]
  await one.correct('Name things in German', 'Name things in German')
  await other.correct('Name things in German', 'Name things in German')
  expect([await one.waiting(), await other.waiting()]).toEqual([[], []])
})

test('accepted, it is a convention of the project; it takes three new ones to ask again', async () => {
  const { project, correct, waiting } = await someRun()
  const say = 'Never add dependencies'
  await correct(say, say, say)
  const [{ id, shortId }] = await waiting()
  const accept = () => at.call('POST', `/api/suggestions/${shortId}/accept`, {})
  expect(await accept()).toMatchObject({
    status: 200,
    body: { id, status: 'accepted', decidedBy: 'person:sam' },
  })
  expect((await accept()).status).toBe(200)
  const stored = await at.call('GET', `/api/projects/${project}`)
  expect(stored.body.conventions).toBe('- Never add dependencies')
  await correct(say, say)
  expect(await waiting()).toEqual([])
  await correct(say)
  expect(await waiting()).toHaveLength(1)
  const dismissed = await at.call('POST', `/api/suggestions/${id}/dismiss`, {})
  expect(dismissed).toMatchObject({ status: 409, body: { code: 'already_decided' } })
})

test('into the profile, in the words of the person', async () => {
  const { correct, waiting } = await someRun()
  await correct('Keep functions small', 'Functions should be small', 'Small functions please')
  const [{ id }] = await waiting()
  const body = { into: 'profile', text: 'Functions have\nat most 20 lines.' }
  expect((await at.call('POST', `/api/suggestions/${id}/accept`, body)).status).toBe(200)
  const { conventions } = (await at.call('GET', '/api/profiles/Demo')).body
  expect(conventions).toBe('- Functions have at most 20 lines.')
  const missing = { into: 'profile', profile: 'No such profile' }
  expect((await at.call('POST', `/api/suggestions/${id}/accept`, missing)).status).toBe(404)
})

test('dismissed, it is remembered, and comes again only when it grows', async () => {
  const { correct, waiting } = await someRun()
  await correct('Log in JSON', 'Log in JSON', 'Log in JSON')
  const [{ id }] = await waiting()
  expect((await at.call('POST', `/api/suggestions/${id}/dismiss`, {})).body.status).toBe(
    'dismissed',
  )
  expect(await waiting()).toEqual([])
  await correct('Something else entirely happens here')
  expect(await waiting()).toEqual([])
  await correct('log in json')
  const [again] = await waiting()
  expect(again).toMatchObject({ id, status: 'pending', decidedBy: null })
  expect(again.corrections).toHaveLength(4)
})

test('suggestions are paged, and a page asks Postgres as often however many they are', async () => {
  const { project, correct } = await someRun()
  for (const text of ['Use spaces', 'Write short lines', 'Avoid nested ternaries'])
    await correct(text, text, text)
  let asked = 0
  const count = ({ sql }: { sql: string }) => {
    if (/"(suggestions|corrections)"/.test(sql)) asked += 1
  }
  at.database.knex.on('query', count)
  const list = async (query: string) => {
    asked = 0
    const { body } = await at.call('GET', `/api/suggestions?project=${project}${query}`)
    return { ...body, asked, texts: body.items.map(({ text }: { text: string }) => text) }
  }
  const [one, all] = [await list('&limit=1'), await list('')]
  expect(all.texts).toEqual(['Use spaces', 'Write short lines', 'Avoid nested ternaries'])
  expect(all.items.map((item: { corrections: object[] }) => item.corrections.length)).toEqual([
    ...[3, 3, 3],
  ])
  expect([one.asked, all.asked]).toEqual([2, 2])
  expect([one.texts, all.next]).toEqual([['Use spaces'], null])
  const rest = await list(`&limit=2&cursor=${one.next}`)
  expect([rest.texts, rest.next]).toEqual([all.texts.slice(1), null])
  at.database.knex.removeListener('query', count)
})

test('people who correct at once are all counted', async () => {
  const { correct, waiting } = await someRun()
  await Promise.all(['a', 'b', 'c', 'd', 'e'].map(() => correct('Run the linter before answering')))
  const [suggestion, ...others] = await waiting()
  expect(others).toEqual([])
  expect(suggestion.corrections).toHaveLength(5)
})

test('conventions are changed as a whole; a second opinion of verify’s own agent is refused', async () => {
  const { project } = await someRun()
  const conventions = '- one\n- two'
  const path = `/api/projects/${project}`
  expect((await at.call('PATCH', path, { conventions })).body.conventions).toBe(conventions)
  expect((await at.call('PATCH', path, { conventions: '' })).body.conventions).toBe('')
  const { stages } = (await at.call('GET', '/api/profiles/Demo')).body
  const own = (await at.call('POST', '/api/profiles', { name: 'Own', stages })).body
  const same = await at.call('PATCH', `/api/profiles/${own.id}`, {
    secondOpinion: { adapter: 'demo' },
  })
  expect(same).toMatchObject({ status: 422, body: { code: 'bad_setting' } })
  const other = {
    secondOpinion: { adapter: 'codex', model: 'gpt-5' },
    fallbacks: [{ adapter: 'auto' }],
  }
  expect((await at.call('PATCH', `/api/profiles/${own.id}`, other)).body).toMatchObject(other)
  const none = await at.call('PATCH', `/api/profiles/${own.id}`, { secondOpinion: null })
  expect(none.body).toMatchObject({ secondOpinion: null, fallbacks: other.fallbacks })
})
