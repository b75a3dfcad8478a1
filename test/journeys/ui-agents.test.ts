import type { Browser, BrowserContextOptions, Locator, Page } from 'playwright-core'
import { afterAll, beforeAll, expect } from 'vitest'
import type { Reply } from '../../contracts/api.ts'
import { sameAgent } from '../../contracts/profile.ts'
import { appendEvents } from '../../db/events.ts'
import { TRANSCRIPTS_CHANNEL } from '../../db/transcripts.ts'
import { violations } from '../support/axe.ts'
import { launchBrowser } from '../support/browser.ts'
import { newWindow, browserTest as test } from '../support/browser-test.ts'
import { type Installation, startInstallation } from '../support/installation.ts'
import { until } from '../support/until.ts'

let at: Installation
let browser: Browser
let project: string
let goalId: string
beforeAll(async () => {
  ;[at, browser] = await Promise.all([startInstallation(), launchBrowser()])
  project = (await at.project()).id
  // an agent that works for as long as anybody looks
  goalId = (await at.goal(project, 'Watch me work [demo:spec=slow:86400]')).id
}, 120_000)
afterAll(async () => {
  await browser?.close()
  if (goalId) {
    await at.call('POST', `/api/goals/${goalId}/cancel`, {})
    await at.until(goalId, ({ status, working }) => status === 'cancelled' && working.length === 0)
  }
  await at?.close()
}, 60_000)

async function openWindow(path: string, options: BrowserContextOptions = {}): Promise<Page> {
  const page = await newWindow(browser, options)
  await page.goto(at.url + path)
  return page
}

type Run = Reply<'listAgents'>['items'][number]
async function runAtWork(goal: string): Promise<Run> {
  await at.until(goal, (one) => one.working.length > 0)
  const { body } = await at.call<Reply<'listAgents'>>('GET', `/api/agents?goal=${goal}&state=live`)
  return body.items[0] as Run
}

test('who works on what is listed, and a correction is seen queued, delivered and applied', async () => {
  const run = await runAtWork(goalId)
  const page = await openWindow('/agents')
  const row = page.getByRole('region', { name: 'Running' }).getByRole('listitem')
  await row.getByText(run.shortId).waitFor()
  expect(await violations(page)).toEqual([])
  // what was clicked before takes no key of the list, and what has the focus loses none of its own
  await page.getByRole('link', { name: 'Goals', exact: true }).click()
  await page.getByRole('link', { name: 'Watch me work' }).waitFor()
  await page.keyboard.press('j')
  await page.keyboard.press('Enter')
  await page.waitForURL(/\/goals\/G-\d+/)
  await page.goto(`${at.url}/agents`)
  await row.first().hover()
  await page.getByRole('button', { name: 'Running', exact: true }).press('Space')
  await page.waitForURL(/show=running$/)
  await row.getByRole('link', { name: 'Spec' }).click()

  const panel = page.getByRole('complementary', { name: `Details of ${run.shortId}` })
  await panel.getByRole('log', { name: 'Transcript' }).waitFor()
  const correction = panel.getByRole('textbox', { name: 'Correction' })
  await correction.fill('Use British spelling')
  // the first Escape leaves the field, the second closes the panel, and neither throws the text away
  await page.keyboard.press('Escape')
  expect(await correction.inputValue()).toBe('Use British spelling')
  await page.keyboard.press('Escape')
  await panel.waitFor({ state: 'detached' })
  await row.getByRole('link', { name: 'Spec' }).click()
  expect(await correction.inputValue()).toBe('Use British spelling')
  let letGo = (): void => undefined
  const held = new Promise<void>((resolve) => {
    letGo = resolve
  })
  await page.route('**/corrections', (route) => held.then(() => route.continue()))
  await correction.press('Enter')
  // what is written while it is on its way stays
  await correction.press('End')
  await correction.pressSequentially(' And more')
  letGo()
  await expect.poll(() => correction.inputValue()).toBe('And more')
  const sent = panel.getByRole('list', { name: 'Corrections' })
  await sent.getByText('Use British spelling').waitFor()
  await sent.getByText('Applied').waitFor()
  expect(await violations(page)).toEqual([])
})

test('an agent is stopped by a click: the goal then needs attention, says who stopped it, and can be retried', async () => {
  const other = await at.goal(project, 'Stop me [demo:spec=slow:86400]')
  const run = await runAtWork(other.id)
  const page = await openWindow(`/agents/${run.shortId}`)
  const correction = page.getByRole('textbox', { name: 'Correction' })
  await correction.fill('Half a thought')
  await page.getByRole('button', { name: 'Stop' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Stop agent' }).click()
  await page.getByText(/^Stopped by /).waitFor()
  // what was written for it is still there, and said to be sent to nobody
  await page.getByText('The run ended before this was sent.').waitFor()
  expect(await correction.inputValue()).toBe('Half a thought')
  expect(await violations(page)).toEqual([])
  const goal = await at.until(other.id, ({ status }) => status === 'needs_attention')
  expect(goal.reason).toMatch(/Stopped by \S+\. Retry to start it again\./)
  const late = await at.call<{ code: string }>('POST', `/api/agents/${run.id}/stop`, {})
  expect(late).toMatchObject({ status: 409, body: { code: 'wrong_state' } })
  await at.call('POST', `/api/goals/${other.id}/retry`, {})
  expect((await runAtWork(other.id)).attempt).toBe(2)
  await at.call('POST', `/api/goals/${other.id}/cancel`, {})
})

test('a goal whose agent is not there goes on with the agents of another profile, chosen beside Retry', async () => {
  const stages = sameAgent({ adapter: 'acp:absent' })
  expect((await at.call('POST', '/api/profiles', { name: 'Absent', stages })).status).toBe(201)
  const absent = { profile: 'Absent' }
  const stuck = await at.goal(project, 'Move me [demo:all=instant]', absent)
  const other = await at.goal(project, 'Leave me [demo:all=instant]', absent)
  for (const { id } of [stuck, other])
    await at.until(id, ({ status }) => status === 'needs_attention')
  const page = await openWindow(`/goals/${other.shortId}`)
  const profile = page.getByRole('combobox', { name: 'Profile to go on with' })
  await profile.waitFor()
  const goTo = async ({ shortId }: { shortId: string }) => {
    await page.keyboard.press('Control+k')
    await page.getByRole('combobox', { name: 'Command palette' }).fill(shortId)
    await page.getByRole('option', { name: `Go to ${shortId}` }).click()
    await page.getByRole('heading', { name: shortId }).waitFor()
  }
  await goTo(stuck)
  const choose = async () => {
    await profile.click()
    await page.getByRole('option', { name: 'Demo', exact: true }).click()
  }
  await choose()
  // it is this goal's choice and no other's
  await goTo(other)
  await expect.poll(() => profile.textContent()).toBe('As before: Absent')
  await goTo(stuck)
  await choose()
  expect(await violations(page)).toEqual([])
  // why is said once beside what happened, and on a phone the buttons leave room for the title
  const { reason } = await at.until(stuck.id, () => true)
  const words = (reason ?? '').split('`')[0] ?? ''
  const outsideFeed = page.getByText(words).and(page.locator('main :not([role=log] *)'))
  expect([words.length > 20, await outsideFeed.count()]).toEqual([true, 1])
  await page.setViewportSize({ width: 390, height: 844 })
  const title = page.getByRole('heading', { name: stuck.shortId })
  await expect.poll(() => title.evaluate((one) => one.scrollWidth - one.clientWidth)).toBe(0)
  expect(await violations(page)).toEqual([])
  await page.getByRole('button', { name: 'Retry', exact: true }).click()
  await page.getByText('Profile Demo').waitFor()
  expect((await at.until(stuck.id, (goal) => goal.reviews.length > 0)).profile.name).toBe('Demo')
  for (const { id } of [stuck, other]) await at.call('POST', `/api/goals/${id}/cancel`, {})
})

test('a goal that stands still because Temporal takes nothing says so on a page that is open, and goes on', async () => {
  const still = await at.goal(project, 'Stand still [demo:all=instant]')
  const page = await openWindow(`/goals/${still.shortId}`, {
    viewport: { width: 390, height: 844 },
  })
  await page.getByRole('region', { name: 'Reviews that wait for you' }).waitFor()
  const outbox = () => at.database.knex('outbox').where({ workflow_id: `goal/${still.id}` })
  // what is told of a goal is told in order, so this one keeps the others back
  await outbox().insert({
    ...{ kind: 'signal', workflow_id: `goal/${still.id}`, last_error: 'it is away' },
    payload: { signal: 'pause', args: {} },
    ...{ created_at: new Date(Date.now() - 60_000), next_at: 'infinity' },
  })
  await at.decide(still.id, 'spec')
  const why = page.getByRole('region', { name: 'Why it waits' })
  await why.getByText('Temporal has not taken what it was told of this goal (it is away)').waitFor()
  await outbox().where({ next_at: 'infinity' }).delete()
  await why.waitFor({ state: 'detached' })
  await at.call('POST', `/api/goals/${still.id}/cancel`, {})
})

test('the pool is paused and resumed by a key, by whom and since when; what waits says why', async () => {
  await at.call('PATCH', '/api/settings', { displayName: 'Ada' })
  const page = await openWindow('/agents')
  const pool = page.getByRole('complementary', { name: 'Pool' })
  await pool.getByRole('button', { name: 'Pause' }).waitFor()
  await page.keyboard.press('p')
  await pool.getByText(/Paused by Ada, just now/).waitFor()
  const held = await at.goal(project, 'Wait for me [demo:all=instant]')
  const line = page.getByRole('region', { name: 'In line' })
  await line.getByText('the pool is paused by').waitFor()
  const goals = await openWindow('/')
  const goal = goals.getByRole('listitem').filter({ hasText: held.shortId })
  await goal.getByText('in line, place 1: the pool is paused by Ada').waitFor()
  await goal.getByRole('img', { name: 'Waiting' }).waitFor()
  expect(await violations(page)).toEqual([])
  const words = page.getByRole('searchbox', { name: 'Filter by words' })
  await words.pressSequentially('wait me')
  for (const key of ['ArrowLeft', 'ArrowLeft', 'ArrowLeft']) await words.press(key)
  await words.pressSequentially(' for')
  await page.waitForURL(/q=wait\+for\+me/)
  expect(await words.inputValue()).toBe('wait for me')
  const agents = page.getByRole('combobox', { name: 'Agent' })
  await agents.press('d') // would be the demo agent
  await agents.click()
  await page.keyboard.press('p') // an open list is looked through, nothing else
  await page.getByRole('option', { name: 'Any agent' }).click()
  await line.waitFor()
  expect(new URL(page.url()).searchParams.has('adapter')).toBe(false)
  await pool.getByRole('button', { name: 'Resume' }).click()
  await at.until(held.id, (goal) => goal.reviews.length > 0)
  await line.waitFor({ state: 'detached' })
  await at.call('POST', `/api/goals/${held.id}/cancel`, {})
})

test('a field opens only with what is stored in it: what is typed at once replaces it', async () => {
  const page = await openWindow('/settings/general')
  await page.addInitScript(`
    window.opened = []
    const look = () => {
      const field = document.querySelector('#max-concurrent')
      if (field && !field.disabled) opened.push(field.value)
    }
    new MutationObserver(look).observe(document, { subtree: true, childList: true, attributes: true })
  `)
  await page.goto(`${at.url}/settings/pool`)
  await page.locator('#max-concurrent:enabled').waitFor()
  expect(await page.evaluate('[...new Set(opened)]')).toEqual(['3'])
})

test('settings are stored as they are set, marked where changed, reset, and refused with what to do', async () => {
  const page = await openWindow('/settings/pool')
  const places = page.getByRole('textbox', { name: 'Agents at once', exact: true })
  await places.fill('5')
  await page.keyboard.press('Enter')
  await page.getByText('Saved').waitFor()
  const read = async () => (await at.call<Reply<'getSettings'>>('GET', '/api/settings')).body
  expect((await read()).maxConcurrent).toBe(5)
  const share = page.getByRole('textbox', { name: 'Agents at once, of one goal' })
  await share.fill('9')
  await share.blur()
  await page.getByRole('alert').filter({ hasText: 'more than maxConcurrent (5)' }).waitFor()
  expect((await read()).maxPerGoal).toBe(2)
  await places.fill('many')
  await places.blur()
  await page.getByRole('alert').filter({ hasText: '“many” is not a whole number.' }).waitFor()
  expect(await violations(page)).toEqual([])
  await page.getByRole('button', { name: 'Reset to 3 agents' }).click()
  await expect.poll(async () => (await read()).maxConcurrent).toBe(3)
  await page.getByRole('alert').filter({ hasText: 'whole number' }).waitFor({ state: 'detached' })

  // a risky one explains itself first
  await page.getByRole('link', { name: 'Goals' }).last().click()
  await page.getByRole('switch', { name: 'Review every spec' }).click()
  await page.getByRole('dialog').getByText('without asking you').waitFor()
  await page.getByRole('button', { name: 'Keep reviewing' }).click()
  expect((await read()).skipSpecReview).toBe(false)

  await page.getByRole('searchbox', { name: 'Search settings' }).fill('hung')
  await page.getByRole('textbox', { name: 'Longest silence' }).waitFor()
})

test('what an address asks for and nobody knows is left out of it, or named', async () => {
  const page = await openWindow('/?show=everything')
  await page.locator('[data-row]').first().waitFor()
  await page.waitForURL(`${at.url}/`)
  await page.goto(`${at.url}/ledger?by=nobody`)
  await page.getByRole('columnheader', { name: 'Goal' }).waitFor()
  await page.goto(`${at.url}/?project=P-9999`)
  await page.getByText('There is no project P-9999').waitFor()
  await page.getByRole('button', { name: 'Show all goals' }).click()
  await page.locator('[data-row]').first().waitFor()
})

test('what is counted of an agent at work stands while the connection is lost, and goes on when it is back', async () => {
  const { id } = await runAtWork(goalId)
  const page = await newWindow(browser)
  await page.clock.install()
  let isCut = false
  let tries = 0
  let cut = async (): Promise<void> => undefined
  await page.routeWebSocket(/\/ws$/, (client) => {
    tries += 1
    cut = () => client.close()
    if (isCut) void cut()
    else client.connectToServer()
  })
  await page.goto(`${at.url}/agents/${id}`)
  const timer = page.getByRole('timer').first()
  await timer.waitFor()
  isCut = true
  await cut()
  await page.getByText(/^Connection lost\. This is/).waitFor()
  const stood = await timer.textContent()
  const before = tries
  await page.clock.fastForward(60_000)
  await expect.poll(() => tries).toBeGreaterThan(before) // the page knows the new time
  expect(await timer.textContent()).toBe(stood)
  isCut = false
  await page.clock.fastForward(60_000)
  await page.getByText(/^Connection lost\. This is/).waitFor({ state: 'detached' })
  await expect.poll(() => timer.textContent()).not.toBe(stood)
})

test('on paper is the whole view, and dark letters', async () => {
  const page = await openWindow('/settings/profiles', { colorScheme: 'dark' })
  const last = page.getByRole('button', { name: 'New profile' })
  await last.waitFor()
  await page.emulateMedia({ media: 'print' })
  const paper = await page.evaluate<number>('document.documentElement.scrollHeight')
  expect(paper).toBeGreaterThan(900) // the window
  expect(await last.evaluate((e) => e.getBoundingClientRect().bottom)).toBeLessThan(paper)
  expect(await page.evaluate('getComputedStyle(document.body).color')).toBe('rgb(26, 26, 31)')
})

test('an agent has one name, in lists as in choices', async () => {
  const { items } = (await at.call<Reply<'listAdapters'>>('GET', '/api/adapters')).body
  const page = await openWindow('/settings/agents')
  for (const { adapter, title } of items.filter(({ demo }) => !demo))
    await page.locator(`main [data-adapter="${adapter}"]`).getByText(title).waitFor()
})

test('on the narrowest phone too, what one reaches for is in sight', async () => {
  const stages = sameAgent({ adapter: 'demo' })
  const name = 'For the services that nobody has touched since the spring'
  const { body } = await at.call<{ id: string }>('POST', '/api/profiles', { name, stages })
  const viewport = { width: 320, height: 568 }
  const page = await openWindow('/settings/profiles', { viewport, hasTouch: true, isMobile: true })
  /** Where it ends, to the right and below, without any scrolling. */
  const endOf = async (part: Locator) => {
    await part.waitFor()
    return part.evaluate((e) => {
      const { right, bottom } = e.getBoundingClientRect()
      return { right, bottom }
    })
  }
  const card = page.getByRole('region', { name: `Profile ${name}` })
  const more = await endOf(card.getByRole('button', { name: `More for ${name}` }))
  expect(more.right).toBeLessThanOrEqual(viewport.width)
  await page.goto(`${at.url}/`)
  const filter = await endOf(page.getByRole('searchbox', { name: 'Filter by title' }))
  expect(filter.right).toBeLessThanOrEqual(viewport.width)
  await page.goto(`${at.url}/agents?adapter=codex`)
  await page.getByText('No agent matches').waitFor() // and one sees why
  const agent = await endOf(page.getByRole('combobox', { name: 'Agent' }))
  expect(agent.right).toBeLessThanOrEqual(viewport.width)
  await page.goto(`${at.url}/`)
  await page.getByRole('button', { name: 'New goal' }).first().tap()
  await page.getByRole('textbox', { name: 'What should exist' }).fill('Much.\n'.repeat(40))
  const send = await endOf(page.getByRole('button', { name: 'File goal' }))
  expect(send.bottom).toBeLessThanOrEqual(viewport.height)
  await page.getByRole('textbox', { name: 'Token budget' }).tap()
  await at.call('DELETE', `/api/profiles/${body.id}`)
})

test('a built-in profile offers neither another name nor its end, and says why; what its agents reach can be less', async () => {
  const page = await openWindow('/settings/profiles')
  const card = page.getByRole('region', { name: 'Profile Default' })
  await card.getByText('built in').waitFor()
  await card.getByText('It keeps its name and cannot be deleted.').waitFor()
  expect(await card.getByRole('textbox', { name: 'Name of the profile' }).count()).toBe(0)
  const network = async () =>
    (await at.call<Reply<'getProfile'>>('GET', '/api/profiles/Default')).body.network
  for (const [label, stored] of [
    ['Nothing', 'none'],
    ['As the project allows', null],
  ] as const) {
    await card.getByRole('combobox', { name: 'Network of Default' }).click()
    await page.getByRole('option', { name: label }).click()
    await expect.poll(network).toBe(stored)
  }
  // the demo agent's keeps its agent too
  const demo = page.getByRole('region', { name: 'Profile Demo' })
  await demo.getByText('It is the demo agent’s, which costs nothing').waitFor()
  expect(await demo.getByRole('combobox').count()).toBe(1)
  expect(await violations(page)).toEqual([])
  await card.getByRole('button', { name: 'More for Default' }).click()
  await page.getByRole('menuitem', { name: 'Copy profile' }).waitFor()
  expect(await page.getByRole('menuitem', { name: /Delete/ }).count()).toBe(0)
})

test('a change made from what another window has changed meanwhile is refused, says so and shows what is there', async () => {
  const page = await openWindow('/settings/profiles')
  const card = page.getByRole('region', { name: 'Profile Demo' })
  const model = card.getByRole('textbox', { name: 'Model for Verify' })
  await model.waitFor()
  // it cannot read the change before its own is on its way
  await page.route('**/api/profiles', () => undefined)
  await page.route('**/api/profiles/*', async (own) => {
    await page.unroute('**/api/profiles')
    await own.continue()
  })
  await at.call('PATCH', '/api/profiles/Demo', { network: 'none' })
  await model.fill('mine')
  await page.keyboard.press('Enter')
  await card.getByRole('alert').filter({ hasText: 'It was changed since you read it.' }).waitFor()
  await card.getByRole('combobox', { name: 'Network of Demo' }).getByText('Nothing').waitFor()
  const verify = async () =>
    (await at.call<Reply<'getProfile'>>('GET', '/api/profiles/Demo')).body.stages.verify
  expect((await verify()).model).toBeUndefined()
  // what was typed is still there, to be stored from here
  await page.keyboard.press('Enter')
  await expect.poll(verify).toMatchObject({ model: 'mine' })
  const stages = { verify: { adapter: 'demo' } }
  await at.call('PATCH', '/api/profiles/Demo', { network: null, stages })
})

test('a profile is made, given another model, and deleted; a project gets a check', async () => {
  const page = await openWindow('/settings/profiles')
  await page.getByRole('button', { name: 'New profile' }).click()
  const card = page.getByRole('region', { name: /^Profile .* copy$/ })
  await card.getByRole('textbox', { name: 'Model for Verify' }).fill('small-1')
  await page.keyboard.press('Enter')
  await card.getByText('Saved').waitFor()
  const profiles = async () =>
    (await at.call<Reply<'listProfiles'>>('GET', '/api/profiles')).body.items
  expect((await profiles()).some(({ stages }) => stages.verify.model === 'small-1')).toBe(true)
  // what sets all keeps no choice of its own: it can be made again
  const all = card.getByRole('combobox', { name: 'All stages' })
  await all.click()
  await page.getByRole('option', { name: /^Demo/ }).click()
  const spec = card.getByRole('combobox', { name: 'Agent for Spec', exact: true })
  await spec.filter({ hasText: 'Demo' }).waitFor()
  expect(await all.textContent()).toBe('Set all…')
  await card.getByRole('button', { name: /^More for/ }).click()
  await page.getByRole('menuitem', { name: 'Delete profile…' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Delete profile' }).click()
  await card.waitFor({ state: 'detached' })

  await at.call('PATCH', `/api/projects/${project}`, { checks: [] })
  await page.getByRole('link', { name: 'Projects' }).last().click()
  await page.getByRole('button', { name: 'Add check' }).click()
  await page.getByRole('textbox', { name: /^Name of check 1/ }).fill('lint')
  await page.getByRole('textbox', { name: /^Command of check 1/ }).fill('npm run lint')
  await page.keyboard.press('Enter')
  const checks = async () =>
    (await at.call<Reply<'getProject'>>('GET', `/api/projects/${project}`)).body.checks
  const lint = { name: 'lint', command: 'npm run lint' }
  await expect.poll(checks).toEqual([lint])
  await page.getByRole('button', { name: 'Remove check lint' }).waitFor()
  // what was being written when the page was loaded again is still there, to be stored from here
  const conventions = page.getByRole('textbox', { name: /^Conventions of/ })
  await conventions.fill('- Use tabs.')
  await page.reload()
  const unstored = page.getByText('Not stored yet.')
  await unstored.waitFor()
  expect(await conventions.inputValue()).toBe('- Use tabs.')
  await page.getByRole('button', { name: 'Store it' }).click()
  await unstored.waitFor({ state: 'detached' })
  const { body } = await at.call<Reply<'getProject'>>('GET', `/api/projects/${project}`)
  expect(body.conventions).toBe('- Use tabs.')
  // another one at once: it is added to what was stored, not to what was read last
  await page.route('**/api/projects?*', () => undefined)
  for (const name of ['unit', 'e2e']) {
    const at = name === 'unit' ? 2 : 3
    await page.getByRole('button', { name: 'Add check' }).click()
    await page.getByRole('textbox', { name: `Name of check ${at}` }).fill(name)
    await page.getByRole('textbox', { name: `Command of check ${at}` }).fill(`npm run ${name}`)
    await page.keyboard.press('Enter')
    await page.getByRole('button', { name: `Remove check ${name}` }).waitFor()
    await expect.poll(async () => (await checks()).length).toBe(at)
  }
  expect((await checks()).map(({ name }) => name)).toEqual(['lint', 'unit', 'e2e'])
})

let written = 8
/** A run of the database's alone: nobody works on it, so its transcript is ours to write. */
async function runWithLines(
  count: number,
): Promise<{ id: string; add: (from: number, n: number) => Promise<void> }> {
  const { knex } = at.database
  const [row] = await knex('agent_runs')
    .insert({
      ...{ goal_id: goalId, stage: 'implement', attempt: ++written, segment: 1, purpose: 'start' },
      ...{ adapter: 'claude', status: 'running', started_at: knex.fn.now() },
    })
    .returning('id')
  const id: string = row.id
  const add = async (from: number, n: number) => {
    await knex.raw(
      `insert into transcripts(run_id, seq, at, role, kind, content)
       select :id, n, now(), 'agent', case when n % 5 = 0 then 'notice' else 'text' end,
         jsonb_build_object('level', 'info', 'text', 'line ' || n || E' of the transcript\\n')
       from generate_series(cast(:from as int), cast(:to as int)) n`,
      { id, from, to: from + n - 1 },
    )
    await knex('agent_runs')
      .where({ id })
      .update({ last_seq: from + n - 1 })
    await knex.raw('select pg_notify(?, ?)', [TRANSCRIPTS_CHANNEL, id])
  }
  await add(1, count)
  return { id, add }
}

test('what an agent at work has told of its use is no more than what is known so far', async () => {
  const { id } = await runWithLines(1)
  const usage = { input: 1_000, output: 500, cacheRead: 0, cacheWrite: 0, reasoning: 0 }
  await at.database.knex('transcripts').insert({
    ...{ run_id: id, seq: 2, at: new Date(), role: 'agent', kind: 'usage' },
    content: JSON.stringify({ usage, costUsd: 0.12 }),
  })
  await at.database.knex('agent_runs').where({ id }).update({ tokens_estimated: 100 })
  const page = await openWindow(`/agents/${id}?tab=cost`)
  const cost = page.getByRole('tabpanel', { name: 'Cost' })
  await cost.getByText('1.5k+', { exact: true }).waitFor()
  await cost.getByText('$0.1200+', { exact: true }).waitFor()
})

test('a run that is over is found by its words, also where the list has not come to it', async () => {
  const goal = await at.goal(project, 'A needle in the hay')
  const run = { goal_id: goal.id, stage: 'spec', attempt: 9, purpose: 'start', adapter: 'demo' }
  const over = (segment: number, last_line: string) => ({
    ...run,
    segment,
    status: 'done',
    last_line,
  })
  const [first] = await at.database
    .knex('agent_runs')
    .insert(over(1, 'Sharp end'))
    .returning('number')
  const hay = Array.from({ length: 60 }, (_, n) => over(n + 2, 'Hay'))
  await at.database.knex('agent_runs').insert(hay)
  const page = await openWindow('/agents?show=over')
  const row = page.locator(`[data-row="A-${first.number}"]`)
  await page.getByText('Hay').first().waitFor()
  expect(await row.count()).toBe(0)
  const words = page.getByRole('searchbox', { name: 'Filter by words' })
  await words.fill('needle sharp')
  await row.waitFor()
  await words.fill('needle blunt')
  await page.getByText('No agent matches').waitFor()
  await at.call('POST', `/api/goals/${goal.id}/cancel`, {})
})

test('the activity of a goal with thousands of events begins with the newest, and says what came before', async () => {
  const goal = await at.goal(project, 'A long life [demo:spec=slow:86400]')
  await runAtWork(goal.id)
  await addNotices(goal.id, 3_000)
  const page = await openWindow(`/goals/${goal.shortId}`)
  await page.getByText(/^Before this came 1,\d{3} events: dispatch events --stream goal/).waitFor()
  expect(await violations(page)).toEqual([])
  await at.call('POST', `/api/goals/${goal.id}/cancel`, {})
})

test('the activity of a goal begins at its end, also when its events come before the word that they are all', async () => {
  const goal = await at.goal(project, 'Begin at the end [demo:spec=slow:86400]')
  await runAtWork(goal.id)
  await addNotices(goal.id, 40)
  const page = await newWindow(browser)
  const drawn = () =>
    page.evaluate('new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))')
  await page.routeWebSocket(/\/ws$/, (client) => {
    const server = client.connectToServer()
    server.onMessage(async (message) => {
      if (String(message).includes('"type":"live"')) await drawn()
      client.send(message)
    })
  })
  await page.goto(`${at.url}/goals/${goal.shortId}`)
  const log = page.getByRole('log', { name: 'Activity' })
  await expect.poll(() => log.evaluate((e) => e.scrollHeight - e.clientHeight)).toBeGreaterThan(40)
  await expect.poll(() => belowSight(log)).toBeLessThan(2)
  // with less room for it too
  await page.setViewportSize({ width: 1440, height: 500 })
  await expect.poll(() => belowSight(log)).toBeLessThan(2)
  // and where the reader went, it stays
  await log.evaluate((e) => e.scrollTo(0, 0))
  await addNotices(goal.id, 3)
  await page.getByRole('button', { name: '3 new' }).waitFor()
  expect(await log.evaluate((e) => e.scrollTop)).toBe(0)
  await at.call('POST', `/api/goals/${goal.id}/cancel`, {})
})

/** So many more events in the life of a goal. */
async function addNotices(goal: string, count: number): Promise<void> {
  const data = { level: 'info', text: 'Look here' } as const
  const event = { stream: `goal/${goal}`, actor: 'system', type: 'system.notice', data } as const
  await at.database.knex.transaction((tx) => appendEvents(tx, Array(count).fill(event)))
}

/** Pixels of a scroll area below what is in sight. */
const belowSight = (area: Locator) =>
  area.evaluate((e) => e.scrollHeight - e.scrollTop - e.clientHeight)

test('a task of a paused goal is shown as paused, in the list and in its panel', async () => {
  const goal = await at.goal(
    project,
    'Pause me [demo:all=instant][demo:tasks=1][demo:implement=slow:86400]',
  )
  await at.decide(goal.id, 'spec')
  const { tasks } = await at.until(goal.id, ({ tasks: [task] }) => task?.stage === 'implement')
  await at.until(goal.id, ({ working }) => working.length > 0)
  const id = tasks[0]?.shortId
  const page = await openWindow(`/goals/${goal.shortId}?panel=${id}`)
  const row = page.getByRole('complementary', { name: 'About the goal' }).getByRole('listitem')
  const panel = page.getByRole('complementary', { name: `Details of ${id}` })
  await row.getByRole('img', { name: 'At work' }).waitFor()
  await panel.getByText('At work').waitFor()
  await page.keyboard.press('p')
  await row.getByRole('img', { name: 'Paused' }).waitFor()
  await panel.getByText('Paused').waitFor()
  await at.call('POST', `/api/goals/${goal.id}/cancel`, {})
})

test('a part of a run that cannot be read says so instead of what is not true, and is there when it can', async () => {
  const { id } = await runWithLines(9)
  const page = await newWindow(browser)
  const transcripts = '**/api/agents/*/transcript?*'
  await page.route(transcripts, (route) => route.abort())
  await page.goto(`${at.url}/agents/${id}?tab=files`)
  const fault = page.getByText('The server did not answer')
  await fault.waitFor()
  await page.getByRole('tab', { name: 'Activity' }).click()
  await fault.waitFor()
  await page.unroute(transcripts)
  await page.getByRole('button', { name: 'Try again' }).click()
  await page.getByText('line 9 of the transcript').waitFor()
  await page.getByRole('tab', { name: 'Files' }).click()
  await page.getByText('No file was touched').waitFor()
})

test('a transcript of 100,000 lines: at its end at once, live, older ones by scrolling, all of it found', async () => {
  const { id, add } = await runWithLines(100_000)
  const page = await openWindow(`/agents/${id}`)
  const log = page.getByRole('log', { name: 'Transcript' })
  await log.getByText('line 100000 of the transcript').waitFor()
  await page.getByText('100,000 lines').waitFor()
  // only what is in sight is drawn
  expect(await log.locator('[data-index]').count()).toBeLessThan(80)

  await add(100_001, 50)
  await log.getByText('line 100050 of the transcript').waitFor()
  await expect.poll(() => belowSight(log)).toBeLessThan(40)

  // with less room for it, its end stays in sight, also when a line comes in the same moment
  await page.setViewportSize({ width: 1440, height: 600 })
  await expect.poll(() => belowSight(log)).toBeLessThan(2)
  await log.evaluate((e) => {
    e.ownerDocument.body.style.height = '500px'
    e.scrollTop += 1
  })
  await expect.poll(() => belowSight(log)).toBeLessThan(2)
  expect(await page.getByRole('button', { name: 'To the end' }).count()).toBe(0)
  await page.evaluate("document.body.style.height = ''")

  // scrolled away, it stays where the reader is and counts what comes
  await log.hover()
  await page.mouse.wheel(0, -3_000)
  await page.getByRole('button', { name: 'To the end' }).waitFor()
  const seen = await settled(() => firstInSight(page))
  await add(100_051, 20)
  await page.getByRole('button', { name: /\d+ new/ }).waitFor()
  expect(await firstInSight(page)).toBe(seen)
  await page.getByRole('button', { name: /\d+ new/ }).click()
  await log.getByText('line 100070 of the transcript').waitFor()

  // upwards, page after page
  await log.hover()
  await expect
    .poll(
      async () => {
        await page.mouse.wheel(0, -4_000)
        return lineOf(await firstInSight(page))
      },
      { timeout: 60_000 },
    )
    .toBeLessThan(98_000)

  await page.keyboard.press('/')
  await page.getByRole('textbox', { name: 'Find in transcript' }).fill('line 777 of')
  await page.getByRole('status').filter({ hasText: /^1$/ }).waitFor()
  await page.keyboard.press('Enter')
  await log.locator('mark').filter({ hasText: 'line 777 of' }).waitFor()
  expect(await violations(page)).toEqual([])
})

/** What is seen when the next look sees the same: a scroll takes its time. */
async function settled(look: () => Promise<string>): Promise<string> {
  let before = await look()
  return until(
    async () => {
      const now = await look()
      const same = now === before
      before = now
      return same && now
    },
    { ms: 20_000, what: 'the scroll to come to its end' },
  )
}

const lineOf = (text: string) => Number(/line (\d+)/.exec(text)?.[1] ?? 1e9)

/** The text of the block at the top of what is shown. */
const firstInSight = (page: Page): Promise<string> =>
  page.getByRole('log', { name: 'Transcript' }).evaluate((log) => {
    const top = log.getBoundingClientRect().top
    const blocks = [...log.querySelectorAll('[data-index]')]
    const first = blocks.find((block) => block.getBoundingClientRect().bottom > top + 1)
    return first?.textContent?.slice(0, 60) ?? ''
  })

test('the first visit leads through agents, a project that is refused and then added, to a first goal', async () => {
  const fresh = await startInstallation()
  try {
    const { repo, id } = await fresh.project()
    await fresh.call('DELETE', `/api/projects/${id}`)
    const page = await newWindow(browser, { viewport: { width: 390, height: 844 } })
    await page.goto(fresh.url)
    await page.getByRole('heading', { name: 'Welcome to Dispatch' }).waitFor()
    await page.getByText('npm install -g @anthropic-ai/claude-code').waitFor()
    expect(await violations(page)).toEqual([])
    await page.getByRole('button', { name: 'Continue' }).click()

    const path = page.getByRole('textbox', { name: 'Path of the repository' })
    await path.fill('/nowhere/at/all')
    await page.keyboard.press('Enter')
    await page.getByRole('alert').filter({ hasText: '/nowhere/at/all' }).waitFor()
    // it goes on where it was left
    await page.reload()
    await path.fill(repo)
    await page.keyboard.press('Enter')

    // what was begun is there after a look back, and no example takes its place
    const goal = page.getByRole('textbox', { name: 'Goal' })
    await goal.fill('Half a goal')
    const example = page.getByRole('button', { name: 'A quick start' })
    await example.waitFor({ state: 'detached' })
    await page.getByRole('button', { name: 'Back' }).click()
    await path.fill(repo)
    await page.keyboard.press('Enter')
    await page.getByText(/ is a project already, and stays as it is$/).waitFor()
    expect(await goal.inputValue()).toBe('Half a goal')
    await goal.fill('')
    await example.click()
    // nothing is the demo agent's unless a person asks for it
    const file = page.getByRole('button', { name: 'File goal' })
    expect(await file.isDisabled()).toBe(true)
    expect(await violations(page)).toEqual([])
    await page.getByRole('radio', { name: /^Demo agent/ }).check()
    await file.click()
    await page.getByRole('heading', { name: 'Goals' }).waitFor()
    await page.getByText('Write a quick start').first().waitFor()
    await page.goto(fresh.url)
    await page.getByText('Write a quick start').first().waitFor()
  } finally {
    await fresh.close()
  }
})
