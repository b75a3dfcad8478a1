import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, beforeAll, expect } from 'vitest'
import type { Reply } from '../../contracts/api.ts'
import { launchBrowser } from '../support/browser.ts'
import { newWindow, browserTest as test } from '../support/browser-test.ts'
import { git, type Installation, startInstallation } from '../support/installation.ts'

let at: Installation
let browser: Browser
let project: string
beforeAll(async () => {
  ;[at, browser] = await Promise.all([startInstallation(), launchBrowser()])
  project = (await at.project()).id
}, 120_000)
afterAll(async () => {
  await browser?.close()
  await at?.close()
}, 60_000)

const SLOW = 150_000

async function openWindow(path: string, options: BrowserContextOptions = {}): Promise<Page> {
  const page = await newWindow(browser, options)
  await page.goto(at.url + path)
  return page
}

type Summary = Reply<'listReviews'>['items'][number]
/** Waits for the goal's pending review of this kind and attempt. */
async function pendingReview(goalId: string, kind: string, attempt = 1): Promise<Summary> {
  const wanted = (one: Summary) =>
    one.kind === kind && one.status === 'pending' && one.attempt === attempt
  const goal = await at.until(goalId, (g) => g.reviews.some(wanted))
  return goal.reviews.find(wanted) as Summary
}

const review = async (id: string) =>
  (await at.call<Reply<'getReview'>>('GET', `/api/reviews/${id}`)).body

async function taskInReview(title: string): Promise<{ goalId: string; review: Summary }> {
  const { id } = await at.project() // its own: once merged, another goal finds nothing to change
  const goal = await at.goal(id, `${title} [demo:all=instant] [demo:tasks=1]`)
  await at.decide(goal.id, 'spec')
  return { goalId: goal.id, review: await pendingReview(goal.id, 'task') }
}

const verdict = (page: Page) => page.getByRole('region', { name: 'Verdict' })
const submit = (page: Page, name: string | RegExp) =>
  verdict(page).getByRole('button', { name }).last()
const diff = (page: Page) => page.getByRole('region', { name: 'Diff' })

test(
  'remarks on a file and a line go to the agent as one message, and the next attempt is shown by what it changed',
  async () => {
    const { goalId, review: first } = await taskInReview('Finish textkit')
    const page = await openWindow('/reviews')
    await page.getByRole('link', { name: first.title }).click()
    const file = diff(page)
      .getByRole('button', { name: /^Comment on src\// })
      .first()
    await file.click()
    await page.getByRole('textbox', { name: 'Comment: Whole file' }).fill('Split this up')
    await page.getByRole('button', { name: 'Add comment' }).click()

    // the second remark stands at a line
    const line = page.locator('[data-line-type="change-addition"][data-line]').first()
    await line.hover()
    await page.locator('[data-utility-button]').first().click()
    const second = page.getByRole('textbox', { name: /^Comment: Line \d+/ })
    await second.fill('Why this num')
    // half of it is written, and neither another tab of the page nor a reload loses it; nothing is sent without it
    await page.getByRole('tab', { name: /^Summary/ }).click()
    await page.getByRole('tab', { name: /^Diff/ }).click()
    await expect.poll(() => second.inputValue()).toBe('Why this num')
    await page.reload()
    await expect.poll(() => second.inputValue()).toBe('Why this num')
    expect(await submit(page, 'Request changes').getAttribute('aria-disabled')).toBe('true')
    await verdict(page).getByRole('button', { name: '1 comment to add or cancel' }).click()
    await expect.poll(() => second.evaluate((field) => field.matches(':focus'))).toBe(true)
    await second.press('Escape')
    await second.fill('Why this number?')
    await second.press('Control+Enter')
    await expect.poll(() => verdict(page).textContent()).toContain('2 comments to send')

    // with remarks the page offers to ask for changes; a reload loses none
    await page.reload()
    await page.getByRole('article').filter({ hasText: 'Why this number?' }).waitFor()
    await verdict(page).getByRole('textbox').fill('Nearly there')
    await submit(page, 'Request changes').click()
    await verdict(page).getByText('Changes requested').waitFor()

    const decided = await review(first.id)
    expect(decided).toMatchObject({ status: 'changes_requested', via: 'ui' })
    expect(decided.comment).toMatch(
      /^Nearly there\n\n### `src\/.+`\n- Whole file: Split this up\n- Line \d+: Why this number\?$/,
    )
    const next = await pendingReview(goalId, 'task', 2)
    const told = await at.database
      .knex('stage_attempts')
      .where({ task_id: first.taskId, stage: 'implement', attempt: 2 })
      .first('feedback')
    expect(told?.feedback ?? '').toContain('Why this number?')

    await page.goto(`${at.url}/reviews/${next.shortId}`)
    await page.getByRole('button', { name: 'Changes since attempt 1' }).waitFor()
    await page.getByRole('tab', { name: /^Conversation/ }).click()
    await page.getByText('Split this up').waitFor()
  },
  SLOW,
)

test(
  'of two windows the second is told who decided, and its text stays',
  async () => {
    const { review: one } = await taskInReview('Two windows')
    const stale = await openWindow('/')
    // this window hears of nothing
    await stale.routeWebSocket(/\/ws/, () => undefined)
    await stale.goto(`${at.url}/reviews/${one.shortId}?tab=checklist`)
    await stale.getByRole('button', { name: /^Check \d+ passed/ }).click()
    await verdict(stale).getByRole('textbox').fill('Looks right to me')

    const other = await openWindow(`/reviews/${one.shortId}?tab=checklist`)
    await verdict(other).getByText('Request changes').click()
    await verdict(other).getByRole('textbox').fill('Not yet')
    await submit(other, 'Request changes').click()
    await verdict(other).getByText('Changes requested').waitFor()

    await submit(stale, 'Approve').click()
    await verdict(stale).getByText('via the browser').waitFor()
    const told = await verdict(stale).textContent()
    expect(told).toContain('Changes requested')
    expect(told).toContain('What you wrote was not sent. Looks right to me')
    expect(await review(one.id)).toMatchObject({ status: 'changes_requested', comment: 'Not yet' })
  },
  SLOW,
)

test(
  'an open page of a review whose work went on says what is another thing now and where, and nothing typed is lost',
  async () => {
    const { goalId, review: one } = await taskInReview('Moving target')
    const page = await openWindow(`/reviews/${one.shortId}?tab=checklist`)
    await verdict(page).getByRole('textbox').fill('Good work')
    const body = { decision: 'request_changes', comment: 'Shorter', hash: one.hash, via: 'cli' }
    await at.call('POST', `/api/reviews/${one.id}/decision`, body)
    const two = await pendingReview(goalId, 'task', 2)
    const banner = page
      .getByRole('alert')
      .filter({ hasText: `${two.shortId} is about what it is now` })
    const head = async ({ id }: Summary) => (await review(id)).head?.slice(0, 8)
    const moved = `The commit is ${await head(two)}, here it is ${await head(one)}.`
    await banner.getByText(moved).waitFor()
    expect(await verdict(page).textContent()).toContain('What you wrote was not sent. Good work')
    await banner.getByRole('link', { name: `Open ${two.shortId}` }).click()
    await page.getByRole('tab', { name: /^Diff/ }).click()
    await page.getByRole('button', { name: 'Changes since attempt 1' }).waitFor()
    expect(await banner.count()).toBe(0)
  },
  SLOW,
)

test(
  'a spec is edited field by field and approved as it was edited',
  async () => {
    const goal = await at.goal(project, 'Edit me [demo:all=instant] [demo:tasks=1]')
    const spec = await pendingReview(goal.id, 'spec')
    const changed = 'config core.fsmonitor in the .git of your repository changed'
    const row = at.database.knex('reviews').where({ id: spec.id })
    await row.update({ deviations: JSON.stringify([changed]) })
    const page = await openWindow(`/reviews/${spec.shortId}`)
    await page.getByText(changed).waitFor()
    const field = page.getByRole('textbox', { name: 'Requirement REQ-1' })
    // what is undone is no edit: nothing but the spec itself would be approved
    const words = await field.inputValue()
    await field.fill('Something else')
    await page.getByRole('button', { name: 'Discard edits' }).waitFor()
    await field.fill(words)
    await page.getByRole('button', { name: 'Discard edits' }).waitFor({ state: 'detached' })
    await field.fill('')
    await page.getByText('This must not be empty.').waitFor()
    await page.getByRole('button', { name: '1 problem in your edits' }).waitFor()
    expect(await submit(page, /^Approve/).getAttribute('aria-disabled')).toBe('true')
    await submit(page, /^Approve/).click({ force: true })
    expect((await review(spec.id)).status).toBe('pending')

    await field.fill('Every word is counted once')
    await page.reload()
    expect(await field.inputValue()).toBe('Every word is counted once')
    await page.getByRole('button', { name: 'Your edits' }).click()
    await page.locator('ins').first().waitFor()
    await submit(page, 'Approve with 1 edit').click()
    await verdict(page).getByText('Approved').waitFor()
    const edits = page.getByRole('button', { name: 'Edits of the approval, since version 1' })
    await page.locator('[aria-pressed="true"]').and(edits).waitFor()
    await page.locator('ins', { hasText: 'Every' }).waitFor()
    const now = await at.call<Reply<'getGoal'>>('GET', `/api/goals/${goal.id}`)
    expect(now.body.spec).toMatchObject({
      version: 2,
      content: { requirements: [{ id: 'REQ-1', text: 'Every word is counted once' }] },
    })
  },
  SLOW,
)

test(
  'edits of a spec that another window sends back are still read in both, and can be taken to the next review',
  async () => {
    const goal = await at.goal(project, 'Mine too [demo:all=instant] [demo:tasks=1]')
    const spec = await pendingReview(goal.id, 'spec')
    const a = await openWindow(`/reviews/${spec.shortId}`)
    const b = await a.context().newPage()
    await b.goto(a.url())
    await b.getByRole('textbox', { name: 'Summary' }).fill('Words that took an hour')
    await verdict(a).getByText('Request changes').click()
    await a.getByText('otherwise they stay here').waitFor()
    await verdict(a).getByRole('textbox').fill('Keep the old flag')
    await a.keyboard.press('Control+Enter')
    for (const page of [a, b]) {
      await verdict(page).getByText('Changes requested').waitFor()
      await verdict(page).getByText('What you wrote was not sent').waitFor()
      await page.locator('ins', { hasText: 'Words that took an hour' }).waitFor()
    }
    expect((await review(spec.id)).comment).toBe('Keep the old flag')
    const second = await pendingReview(goal.id, 'spec', 2)
    await b.getByRole('button', { name: `Take it to ${second.shortId}` }).click()
    await b.waitForURL(new RegExp(`/reviews/${second.shortId}`))
    expect(await verdict(b).getByRole('textbox').inputValue()).toBe(
      '### Summary\n- Words that took an hour',
    )
    await verdict(a).getByText('What you wrote was not sent').waitFor({ state: 'detached' })
  },
  SLOW,
)

test(
  'by keyboard alone: from the queue to an approved task',
  async () => {
    const { review: one } = await taskInReview('Keys only')
    const page = await openWindow('/')
    await page.getByRole('main').waitFor()
    await page.keyboard.press('g')
    await page.keyboard.press('v')
    await page.locator(`[data-row="${one.shortId}"]`).waitFor()
    // other goals' reviews come and go meanwhile, so the way is not counted
    const rows = page.locator('[data-row]')
    for (;;) {
      const chosen = await page.locator('[data-selected]').getAttribute('data-row')
      if (chosen === one.shortId) break
      const ids = await rows.evaluateAll((all) => all.map((row) => row.getAttribute('data-row')))
      await page.keyboard.press(ids.indexOf(chosen) < ids.indexOf(one.shortId) ? 'j' : 'k')
      await page.locator(`[data-selected]:not([data-row="${chosen}"])`).waitFor()
    }
    await page.keyboard.press('Enter')
    await page.waitForURL(new RegExp(`/reviews/${one.shortId}`))

    const tree = page.getByRole('navigation', { name: 'Changed files' })
    await tree.getByText(/^0\/\d+ viewed$/).waitFor()
    await page.locator('diffs-container').first().waitFor()
    await page.keyboard.press('v')
    await tree.getByText(/^1\/\d+ viewed$/).waitFor()
    await page.keyboard.press('n')
    await page.keyboard.press('c')
    const remark = page.getByRole('textbox', { name: 'Comment: Whole file' })
    await remark.waitFor()
    await page.locator('textarea[aria-label="Comment: Whole file"]:focus').waitFor()
    await page.keyboard.press('Escape')
    await remark.waitFor({ state: 'detached' })
    await page.keyboard.press('Control+f')
    await page.keyboard.type('textkit-nothing-has-this')
    await page.getByRole('status').filter({ hasText: 'None' }).waitFor()
    await page.keyboard.press('Escape')

    // nothing is approved while an item is open, and never by a letter
    await page.keyboard.press('Control+Enter')
    await page.getByRole('tab', { name: /^Checklist/, selected: true }).waitFor()
    expect((await review(one.id)).status).toBe('pending')
    await page.getByRole('button', { name: /^Check \d+ passed/ }).focus()
    await page.keyboard.press('Enter')
    await expect.poll(() => submit(page, 'Approve').getAttribute('aria-disabled')).toBe(null)
    await page.keyboard.press('a')
    expect((await review(one.id)).status).toBe('pending')
    await page.keyboard.press('Control+Enter')
    await verdict(page).getByText('Approved').waitFor()
  },
  SLOW,
)

test(
  'more tokens are granted with a word to the agent, or not: changes are not offered',
  async () => {
    const { id } = await at.project({ 'README.md': 'x\n' })
    const more = { skipSpecReview: true, goalBudget: 10 }
    const goal = await at.goal(id, 'Thrifty [demo:all=instant]', more)
    const asked = await pendingReview(goal.id, 'budget')
    const page = await openWindow(`/reviews/${asked.shortId}`)
    const decisions = verdict(page).getByRole('group', { name: 'Decision' }).getByRole('radio')
    await decisions.first().waitFor()
    expect(await decisions.locator('..').allInnerTexts()).toEqual(['Approve', 'Reject'])
    await verdict(page).getByRole('textbox').fill('Be brief')
    await submit(page, 'Grant tokens').click()
    await verdict(page).getByText('Approved').waitFor()
    expect(await review(asked.id)).toMatchObject({ status: 'approved', comment: 'Be brief' })
    await at.call('POST', `/api/goals/${goal.id}/cancel`, {})
  },
  SLOW,
)

/** A review of a change that is larger and stranger than what the demo agent makes. */
async function strangeReview(): Promise<string> {
  const { repo, id } = await at.project({
    ...{ 'README.md': 'x\n', 'src/a.ts': 'export const a = 1\n' },
    'dos.txt': 'one\r\ntwo\r\nthree',
  })
  const write = (path: string, text: string | Buffer) => writeFileSync(join(repo, path), text)
  write('dos.txt', 'one\ntwo\nthree')
  write('src/a.ts', 'export const a = 2\n')
  write('trojan.ts', 'if (admin\u202e) {\n  allow()\u200b\n}\n')
  write('rtl.md', 'שלום עולם\n')
  write('picture.png', Buffer.from([0, 1, 2]))
  write('huge.json', '"a key": "a value that is long enough to matter",\n'.repeat(6_000))
  git(repo, 'add', '-A')
  git(repo, 'commit', '-q', '-m', 'strange')
  const goal = await at.goal(id, 'Strange [demo:all=instant] [demo:tasks=1]')
  await pendingReview(goal.id, 'spec')
  const rev = (name: string) => git(repo, 'rev-parse', name)
  const [row] = await at.database
    .knex('reviews')
    .insert({
      ...{ kind: 'merge', goal_id: goal.id, workflow_id: `goal/${goal.id}`, attempt: 9 },
      ...{ title: 'Strange change', reason: 'files of high risk changed', hash: 'later' },
      ...{ tier: 'block', risk: 'high', checklist: '[]', files: '[]' },
      ...{ base: rev('HEAD~1'), head: rev('HEAD'), tree: rev('HEAD^{tree}') },
    })
    .returning(['id', 'number'])
  const { body } = await at.call<Reply<'getReviewDiff'>>('GET', `/api/reviews/${row.id}/diff`)
  const files = body.files.map(({ patch: _, blob: __, ...file }) => file)
  await at.database
    .knex('reviews')
    .where({ id: row.id })
    .update({ hash: body.hash, files: JSON.stringify(files) })
  return `R-${row.number}`
}

test(
  'hidden characters are shown, a long file is asked for before an approval, and the diff can be searched',
  async () => {
    const id = await strangeReview()
    const page = await openWindow(`/reviews/${id}`)
    await page.getByText('⟨U+202E⟩').waitFor()
    await diff(page).getByText('2 hidden characters').waitFor()
    await diff(page).getByText('Line ends: CRLF to LF').waitFor()
    await diff(page).getByText('Binary file: its content is not shown.').waitFor()
    const missing = verdict(page).getByRole('button', { name: '1 file to load' })
    await missing.waitFor()
    await page.getByRole('button', { name: 'Load 6,000 changed lines' }).click()
    await missing.waitFor({ state: 'detached' })
    expect(await submit(page, 'Approve and merge').getAttribute('aria-disabled')).toBe(null)

    await page.getByRole('button', { name: 'Find in diff' }).click()
    await page.getByRole('textbox', { name: 'Find in diff' }).fill('long enough')
    await page.getByRole('status').filter({ hasText: '1 of 5000+' }).waitFor()
    await page.keyboard.press('Shift+Enter')
    await page.getByRole('status').filter({ hasText: '5000 of 5000+' }).waitFor()
    // what is below the fold was scrolled to
    await page.locator('[data-line="5000"]').first().waitFor()

    // how many others wait is said once it is known
    await page.route('**/api/reviews?*', () => undefined)
    await page.reload()
    await diff(page).getByText('2 hidden characters').waitFor()
    expect(await page.getByText(/No other waits|more waiting/).count()).toBe(0)
    await page.unrouteAll()
    await page.reload()
    await page.getByText(/No other waits|more waiting/).waitFor()
  },
  SLOW,
)

test(
  'on a phone a task can be read, checked and approved',
  async () => {
    const { review: one } = await taskInReview('Pocket')
    const page = await openWindow(`/reviews/${one.shortId}`, {
      viewport: { width: 390, height: 844 },
      hasTouch: true,
      isMobile: true,
    })
    await page.locator('diffs-container').first().waitFor()
    const wide = () => page.evaluate<number>('document.documentElement.scrollWidth')
    expect(await wide()).toBeLessThanOrEqual(390)
    await page.getByRole('button', { name: 'Changed files' }).tap()
    await page
      .getByRole('dialog')
      .getByText(/viewed$/)
      .waitFor()
    await page.keyboard.press('Escape')
    await verdict(page)
      .getByRole('button', { name: /items to check/ })
      .tap()
    await page.getByRole('button', { name: /^Check \d+ passed/ }).tap()
    expect(await wide()).toBeLessThanOrEqual(390)
    // on the smallest of them all nothing ends at its edge
    await page.setViewportSize({ width: 320, height: 568 })
    await page.goto(`${at.url}/reviews/${one.shortId}?tab=conversation`)
    const shown = page.getByRole('tab', { name: /^Conversation/, selected: true })
    for (const part of [shown, verdict(page).getByText('Reject')])
      await expect
        .poll(() => part.evaluate((element) => element.getBoundingClientRect().right))
        .toBeLessThan(316)
    await submit(page, 'Approve').tap()
    await verdict(page).getByText('Approved').waitFor()
  },
  SLOW,
)
