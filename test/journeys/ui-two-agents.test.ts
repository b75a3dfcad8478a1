import { fileURLToPath } from 'node:url'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect } from 'vitest'
import type { Reply } from '../../contracts/api.ts'
import { sameAgent } from '../../contracts/profile.ts'
import { violations } from '../support/axe.ts'
import { launchBrowser } from '../support/browser.ts'
import { newWindow, browserTest as test } from '../support/browser-test.ts'
import { type Installation, startInstallation } from '../support/installation.ts'

const JUDGE = fileURLToPath(new URL('../support/acp-judge.mjs', import.meta.url))

let at: Installation
let browser: Browser
beforeAll(async () => {
  const config = `[acp.judge]\ntitle = "Judge"\ncommand = "${JUDGE}"\n`
  ;[at, browser] = await Promise.all([startInstallation({ config }), launchBrowser()])
  const stages = sameAgent({ adapter: 'demo' })
  await at.call('POST', '/api/profiles', { name: 'Mine', stages })
}, 120_000)
afterAll(async () => {
  await browser?.close()
  await at?.close()
}, 60_000)

async function openWindow(path: string): Promise<Page> {
  const page = await newWindow(browser)
  await page.goto(at.url + path)
  return page
}

const readProfile = async () =>
  (await at.call<Reply<'getProfile'>>('GET', '/api/profiles/Mine')).body

test('a second opinion is chosen in the profile, and a disagreement stands side by side in the checklist', async () => {
  const page = await openWindow('/settings/profiles')
  const card = page.getByRole('region', { name: 'Profile Mine' })
  await card.getByRole('combobox', { name: 'Agent for the second opinion of Mine' }).click()
  await page.getByRole('option', { name: 'Judge' }).click()
  await expect
    .poll(async () => (await readProfile()).secondOpinion)
    .toEqual({ adapter: 'acp:judge' })
  await card.getByRole('combobox', { name: 'Add who takes over in Mine' }).click()
  await page.getByRole('option', { name: 'Judge' }).click()
  await expect.poll(async () => (await readProfile()).fallbacks).toEqual([{ adapter: 'acp:judge' }])
  await card.getByRole('textbox', { name: 'Conventions of Mine' }).fill('- Be brief.')
  await page.keyboard.press('Tab')
  await expect.poll(async () => (await readProfile()).conventions).toBe('- Be brief.')
  expect(await violations(page)).toEqual([])

  const { id } = await at.project({ 'README.md': '# x\n' })
  const text = 'Notes [demo:all=instant] [judge:SEC-2=fail]'
  const goal = await at.goal(id, text, { skipSpecReview: true, profile: 'Mine' })
  const asked = await at.until(goal.id, ({ pendingReviews }) => pendingReviews > 0)
  const review = asked.reviews.find(({ kind }) => kind === 'task')
  await page.goto(`${at.url}/reviews/${review?.shortId}?tab=checklist`)
  await page.getByText('disagrees with Verify on SEC-2').first().waitFor()
  const item = page.getByRole('listitem').filter({ hasText: 'Add no dependency' }).first()
  const voices = item.getByRole('term')
  await voices.filter({ hasText: /Verify\s*passed/ }).waitFor()
  await voices.filter({ hasText: /Judge\s*failed/ }).waitFor()
  await item.getByText('The judge looked at SEC-2.').waitFor()
  // what is disputed is not checked along with what passed
  await page
    .getByRole('button', { name: /^Check \d+ passed$/ })
    .first()
    .click()
  expect(await item.getByRole('checkbox').isChecked()).toBe(false)
  expect(await violations(page)).toEqual([])
  await at.call('POST', `/api/goals/${goal.id}/cancel`, {})
})

test('what was said three times becomes a convention of the project by one click', async () => {
  const { id } = await at.project({ 'README.md': '# x\n' })
  const goal = await at.goal(id, 'Watch me [demo:spec=slow:86400]')
  const working = await at.until(goal.id, (one) => one.working.length > 0)
  const run = working.working[0]?.runId
  const page = await openWindow(`/agents/${run}`)
  const suggested = page.getByRole('list', { name: 'Suggested conventions' })
  for (const text of [
    'Use British spelling',
    'Please use British spelling',
    'use british spelling!',
  ])
    await at.call('POST', `/api/agents/${run}/corrections`, { text })
  await suggested.getByText('You said something like this 3 times').waitFor() // also where it was said
  // a low window, or one that is enlarged, has room for what the agent says
  await page.setViewportSize({ width: 720, height: 450 })
  const transcript = page.getByRole('log', { name: 'Transcript' })
  await expect.poll(() => transcript.evaluate((e) => e.clientHeight)).toBeGreaterThan(100)
  await page.setViewportSize({ width: 1440, height: 900 })
  await page.goto(`${at.url}/agents`)
  await suggested.getByText('You said something like this 3 times').waitFor()
  expect(await violations(page)).toEqual([])
  await suggested.getByRole('textbox').fill('Use British spelling.')
  await page.reload()
  // it grows while its words are written anew, and they stay
  await at.call('POST', `/api/agents/${run}/corrections`, {
    text: 'British spelling, please use it',
  })
  await suggested.getByText('You said something like this 4 times').waitFor()
  expect(await suggested.getByRole('textbox').inputValue()).toBe('Use British spelling.')
  await suggested.getByRole('button', { name: /^Add to repo/ }).click()
  await page.getByText('Agents are told from now on').waitFor()
  await suggested.waitFor({ state: 'detached' })

  await page.goto(`${at.url}/settings/projects`)
  const conventions = page.getByRole('textbox', { name: /^Conventions of repo/ })
  const own = conventions.filter({ hasText: 'British' })
  await own.fill('- Use Canadian spelling.')
  await page.keyboard.press('Tab')
  const read = async () =>
    (await at.call<Reply<'getProject'>>('GET', `/api/projects/${id}`)).body.conventions
  await expect.poll(read).toBe('- Use Canadian spelling.')
  // what comes from elsewhere while it is written takes no words away without a word
  await conventions.filter({ hasText: 'Canadian' }).fill('- Half of a rule')
  await at.call('PATCH', `/api/projects/${id}`, { conventions: '- Use British dates.' })
  await page.getByText('What you wrote is not stored: “- Half of a rule”').waitFor()
  expect(await violations(page)).toEqual([])
  await at.call('POST', `/api/goals/${goal.id}/cancel`, {})
})

test('a goal that waits for a provider says until when, and is tried now by a click', async () => {
  const { id } = await at.project({ 'README.md': '# x\n' })
  const goal = await at.goal(id, 'Limit [demo:all=instant] [demo:spec=rate-limit:3600,instant]')
  const page = await openWindow(`/goals/${goal.shortId}`)
  const limited = page.getByRole('region', { name: 'Waits for a provider' })
  await limited.getByText('goes on by itself at').waitFor()
  // once is enough, in the reader's own time
  const about = page.getByRole('complementary', { name: 'About the goal' })
  await about.getByText('Waiting').waitFor()
  expect(await about.textContent()).not.toContain('UTC')
  expect(await violations(page)).toEqual([])
  await limited.getByRole('button', { name: 'Try now' }).click()
  await page.getByRole('region', { name: 'Reviews that wait for you' }).waitFor()
  await limited.waitFor({ state: 'detached' })

  // who writes a task is chosen with the spec
  const asked = await at.until(goal.id, ({ pendingReviews }) => pendingReviews > 0)
  await page.goto(`${at.url}/reviews/${asked.reviews[0]?.shortId}`)
  await page.getByRole('combobox', { name: 'Agent of t1' }).click()
  await page.getByRole('option', { name: 'Judge' }).click()
  expect(await violations(page)).toEqual([])
  await page.getByRole('button', { name: 'Approve' }).first().click()
  const built = await at.until(goal.id, ({ tasks }) => tasks.length > 0)
  expect(built.tasks[0]?.agent).toEqual({ adapter: 'acp:judge' })
  await at.call('POST', `/api/goals/${goal.id}/cancel`, {})
})
