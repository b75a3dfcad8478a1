import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, beforeAll, expect } from 'vitest'
import type { Reply } from '../../contracts/api.ts'
import { violations } from '../support/axe.ts'
import { launchBrowser } from '../support/browser.ts'
import { newWindow, browserTest as test } from '../support/browser-test.ts'
import { type OwnStack, type Repository, startOwnStack } from '../support/own-stack.ts'
import { until } from '../support/until.ts'

type Goal = Reply<'getGoal'>

let at: OwnStack
let browser: Browser
let repository: Repository
let projectId: string
/** Every address that any page asked for, in the order in which it was asked. */
const asked: string[] = []

beforeAll(async () => {
  ;[at, browser] = await Promise.all([startOwnStack({ ui: true }), launchBrowser()])
  repository = at.repository('textkit')
  projectId = (await at.insist('POST', '/api/projects', { path: repository.path })).body.id
}, 150_000)
afterAll(async () => {
  await browser?.close()
  await at?.close()
}, 60_000)

const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true }

async function openWindow(path: string, options: BrowserContextOptions = {}): Promise<Page> {
  const page = await newWindow(browser, { baseURL: at.stack.url, ...options })
  page.context().on('request', (request) => void asked.push(request.url()))
  page.on('websocket', (socket) => void asked.push(socket.url()))
  await page.goto(path)
  return page
}

async function file(title: string, script: string, project = projectId): Promise<Goal> {
  const body = { project, title, description: script, profile: 'Demo' }
  return (await at.insist('POST', '/api/goals', body)).body
}

const goalOf = async (id: string): Promise<Goal> =>
  (await at.insist('GET', `/api/goals/${id}`)).body

const whenGoal = (id: string, what: string, ready: (goal: Goal) => boolean): Promise<Goal> =>
  until(
    async () => {
      const goal = await goalOf(id)
      return ready(goal) && goal
    },
    { ms: 120_000, what },
  )

const hasPending = (kind: string) => (goal: Goal) =>
  goal.reviews.some((review) => review.kind === kind && review.status === 'pending')

async function approve(goal: Goal, kind: string): Promise<void> {
  const pending = goal.reviews.find((one) => one.kind === kind && one.status === 'pending')
  const { body: review } = await at.insist('GET', `/api/reviews/${pending?.id}`)
  const checklist = review.checklist.map((item: { id: string }) => item.id)
  await at.insist('POST', `/api/reviews/${review.id}/decision`, {
    ...{ decision: 'approve', hash: review.hash, checklist },
  })
}

/** A goal that waits for the review of its spec, and one that waits for that of its task. */
async function goalsInReview(): Promise<{ spec: Goal; task: Goal }> {
  const { path } = at.repository('relay')
  const { id } = (await at.insist('POST', '/api/projects', { path })).body
  const [one, other] = await Promise.all([
    file('A spec to read', '[demo:all=instant][demo:tasks=1]', id),
    file('A task to read', '[demo:all=instant][demo:tasks=1]', id),
  ])
  await approve(await whenGoal(other.id, 'a spec', hasPending('spec')), 'spec')
  return {
    spec: await whenGoal(one.id, 'a spec', hasPending('spec')),
    task: await whenGoal(other.id, 'a task in review', hasPending('task')),
  }
}

test('the first page needs three calls of the API, and shows what is there', async () => {
  const before = asked.length
  const page = await openWindow('/')
  await page.getByText('textkit').first().waitFor()
  await page.getByRole('button', { name: 'New goal' }).first().waitFor()
  await page.waitForLoadState('networkidle')
  // each once more where the feed was slow to be followed
  const calls = new Set(
    asked.slice(before).filter((url) => new URL(url).pathname.startsWith('/api/')),
  )
  expect(calls.size, [...calls].join('\n')).toBeLessThanOrEqual(3)
})

test('a whole goal by clicking: written, its spec and its task approved, and seen merged', async () => {
  // with all that moves, as most people have it
  const page = await openWindow('/', { reducedMotion: 'no-preference' })
  await page.getByRole('button', { name: 'New goal' }).first().click()
  const dialog = page.getByRole('dialog', { name: 'New goal' })
  await dialog
    .getByRole('textbox', { name: 'What should exist' })
    .fill('Finish textkit [demo:all=instant][demo:tasks=1]')
  const missing = dialog.getByText(/^The profile Default needs Codex.*, not installed here/)
  await missing.waitFor()
  await dialog.getByRole('combobox', { name: 'Profile' }).click()
  await page.getByRole('option', { name: 'Demo' }).click()
  await missing.waitFor({ state: 'detached' })
  await dialog.getByRole('button', { name: /^Project: textkit/ }).click()
  await page.getByRole('option', { name: /textkit/ }).click()
  await dialog.getByRole('button', { name: 'File goal' }).click()

  await page.waitForURL(/\/goals\/G-\d+/)
  const goal = await goalOf(page.url().split('/').at(-1)?.replace(/\?.*/, '') ?? '')
  await page.getByRole('link', { name: /^Review R-/ }).click()
  const verdict = page.getByRole('region', { name: 'Verdict' })
  await page
    .getByRole('textbox', { name: /^Requirement/ })
    .first()
    .waitFor()
  await verdict.getByRole('button', { name: 'Approve' }).click()
  await verdict.getByText('Approved').waitFor()

  await page.goto(`/goals/${goal.shortId}`)
  await page.getByRole('link', { name: /^Review R-/ }).click()
  await page.locator('diffs-container').first().waitFor()
  await page.getByRole('button', { name: /^Check \d+ passed/ }).click()
  await verdict.getByRole('button', { name: 'Approve' }).click()
  await verdict.getByText('Approved').waitFor()

  await page.goto(`/goals/${goal.shortId}`)
  await page.getByText('Merged').first().waitFor()
  const merged = await whenGoal(goal.id, 'the merge', ({ status }) => status === 'completed')
  await page
    .getByText(merged.mergedCommit?.slice(0, 8) ?? 'no commit')
    .first()
    .waitFor()
  expect(repository.git('log', '-1', '--format=%(trailers:key=Dispatch-Goal)', 'main')).toContain(
    goal.shortId,
  )
})

test('with the server killed under an open page: it says so, comes back by itself, and nothing is lost', async () => {
  const goal = await file(
    'Outlive the server',
    '[demo:all=instant][demo:spec=slow:4][demo:tasks=1]',
  )
  const page = await openWindow(`/goals/${goal.shortId}`)
  await page.getByRole('log').getByRole('listitem').first().waitFor()
  await page.evaluate('window.openedOnce = true')
  await page.keyboard.press('c')
  const text = page.getByRole('textbox', { name: 'What should exist' })
  await text.fill('Half a thought')
  const other = await openWindow('/')
  const takeParts = await withoutPart(other, 'Ledger')

  await takeParts()
  // the supervisor is quick: it takes more than one death for a page to say a word
  const banner = page.getByText(/^Connection lost\. This is the state of/)
  await until(
    async () => {
      if (at.stack.processes()['api']?.status === 'running') at.stack.kill('api', 'SIGKILL')
      return banner.isVisible()
    },
    { ms: 60_000, what: 'the page to say that the connection is lost' },
  )
  await banner.waitFor({ state: 'detached' })
  expect(await page.evaluate('window.openedOnce')).toBe(true)
  expect(await text.inputValue()).toBe('Half a thought')
  await page.keyboard.press('Escape')
  await page.getByRole('link', { name: /^Review R-/ }).waitFor()
  await other.getByRole('combobox', { name: 'Group by' }).waitFor()
  expect(await other.evaluate('window.openedOnce')).toBe(true)

  // what the page heard before, meanwhile and after is what a new one is told
  const rows = (one: Page) => one.getByRole('log').getByRole('listitem').count()
  const fresh = await openWindow(`/goals/${goal.shortId}`)
  await fresh.getByRole('link', { name: /^Review R-/ }).waitFor()
  await fresh.getByRole('log').getByRole('listitem').first().waitFor()
  await expect.poll(async () => (await rows(page)) - (await rows(fresh))).toBe(0)
})

/** Goes to a view whose part of the page does not come; it can be fetched again once the returned function was called. */
async function withoutPart(page: Page, name: string): Promise<() => Promise<void>> {
  const assets = /\/assets\/.*-page-/
  await page.getByRole('main').waitFor()
  await page.evaluate('window.openedOnce = true')
  await page.route(assets, (route) => route.abort())
  await page.getByRole('link', { name }).first().click()
  await page.getByText('The server did not answer').waitFor()
  await page.getByRole('link', { name: 'Goals' }).first().waitFor()
  return () => page.unroute(assets)
}

test('a part of the page that does not come is asked for again, and the page is loaded again only if it was replaced', async () => {
  const page = await openWindow('/')
  const takeParts = await withoutPart(page, 'Agents')
  await takeParts()
  await page.getByRole('button', { name: 'Try again' }).click()
  await page.getByRole('alert').waitFor({ state: 'detached' })
  expect(await page.evaluate('window.openedOnce')).toBe(true)

  // another build is served now: its page begins with another script, and the parts of this one are gone
  await page.route(/\/assets\/.*-page-/, (route) => route.fulfill({ status: 404 }))
  await page.route(at.stack.url, (route) => route.fulfill({ body: '<script src="/other.js">' }))
  await page.getByRole('link', { name: 'Ledger' }).first().click()
  await page.getByRole('heading', { name: 'This part of the page is another one now' }).waitFor()
  expect(await page.evaluate('window.openedOnce')).toBe(true)
  await page.unrouteAll()
  await page.getByRole('main').getByRole('button', { name: 'Reload' }).click()
  await page.getByRole('combobox', { name: 'Group by' }).waitFor()
  expect(await page.evaluate('window.openedOnce')).toBe(undefined)
})

test('a view that cannot be drawn says that the page has a fault, and not that the server is away', async () => {
  const page = await openWindow('/')
  await page.route('**/api/reviews?*', (route) =>
    route.fulfill({ json: { items: [{ id: 'x' }], next: null } }),
  )
  await page.getByRole('link', { name: 'Reviews' }).first().click()
  const fault = page.getByRole('heading', { name: 'This part of the page has a fault' })
  await fault.waitFor()
  expect(await violations(page)).toEqual([])
  await page.unrouteAll()
  await page.getByRole('button', { name: 'Reload' }).click()
  await page.getByRole('main').waitFor()
  await fault.waitFor({ state: 'detached' })
})

test('by keyboard alone: a goal is filed, its spec approved, and the goal cancelled', async () => {
  const page = await openWindow('/')
  await page.getByRole('main').waitFor()
  await page.keyboard.press('Tab')
  await page.locator('a[href="#main"]:focus').waitFor()
  await page.keyboard.press('c')
  await page.locator('textarea:focus').waitFor()
  await page.keyboard.type('No mouse [demo:all=instant][demo:implement=slow:86400][demo:tasks=1]')
  // the focus stays in the dialog, all the way round
  for (let step = 0; step < 12; step += 1) {
    await page.keyboard.press('Tab')
    expect(await page.evaluate("!!document.activeElement.closest('[role=dialog]')")).toBe(true)
  }
  await page.getByRole('combobox', { name: 'Profile' }).focus()
  await page.keyboard.press('Enter')
  await until(
    async () => {
      if (await page.locator('[role=option][data-highlighted]', { hasText: 'Demo' }).isVisible())
        return true
      await page.keyboard.press('ArrowDown')
      return false
    },
    { ms: 20_000, what: 'the arrow keys to come to the profile' },
  )
  await page.keyboard.press('Enter')
  await page.locator('[role=combobox][aria-label=Profile]:focus').waitFor() // it comes back after the list has gone
  await page.evaluate('document.activeElement.blur()') // until then nothing has it
  await page.keyboard.press('Control+Enter')
  await page.waitForURL(/\/goals\/G-\d+/)
  const path = new URL(page.url()).pathname
  await page.getByRole('link', { name: /^Review R-/ }).focus()
  await page.keyboard.press('Enter')
  await page
    .getByRole('textbox', { name: /^Requirement/ })
    .first()
    .waitFor()
  await page.keyboard.press('Control+Enter')
  await page.getByRole('region', { name: 'Verdict' }).getByText('Approved').waitFor()

  await page.goto(path)
  await page.getByRole('region', { name: 'Stages' }).waitFor()
  const pause = page.getByRole('button', { name: 'Pause' })
  await pause.focus()
  const question = page.getByRole('dialog').filter({ hasText: 'Cancel' })
  const askToCancel = async () => {
    await page.keyboard.press('Control+k')
    await page.locator('[cmdk-input]:focus').waitFor()
    await page.keyboard.type('cancel goal')
    await page.keyboard.press('Enter')
    await question.waitFor()
  }
  await askToCancel()
  await page.keyboard.press('Escape')
  await pause.and(page.locator(':focus')).waitFor()
  await askToCancel()
  await page.keyboard.press('Tab')
  await question.getByRole('button', { name: /^Cancel goal/ }).focus()
  await page.keyboard.press('Enter')
  await page.getByText('Cancelled').first().waitFor()

  await page.keyboard.press('Shift+?')
  await page.getByRole('dialog', { name: 'Keyboard shortcuts' }).waitFor()
  await page.keyboard.press('Escape')
  await page.getByRole('dialog').waitFor({ state: 'detached' })

  // whoever opened a dialog goes on from there
  const opener = page.locator('button[aria-label="New goal"]')
  await opener.focus()
  await page.keyboard.press('Enter')
  await page.getByRole('dialog', { name: 'New goal' }).waitFor()
  await page.keyboard.press('Escape')
  await page.locator('button[aria-label="New goal"]:focus').waitFor()
})

type View = readonly [path: string, ready: string, keys?: string]

/** The addresses of all views, with goals, reviews and runs in them. */
async function allViews(): Promise<readonly View[]> {
  const { spec, task } = await goalsInReview()
  const reviewOf = (goal: Goal) => goal.reviews.find(({ status }) => status === 'pending')?.shortId
  const { body: runs } = await at.insist('GET', `/api/agents?goal=${task.id}`)
  const run = (runs as Reply<'listAgents'>).items[0]?.shortId
  const goal = `/goals/${task.shortId}`
  const settings = ['general', 'agents', 'profiles', 'projects', 'goals', 'pool']
  return [
    ['/', '[data-row]'],
    ['/', '[data-row]', 'Control+k'],
    ['/', '[data-row]', 'Shift+?'],
    ['/', '[data-row]', 'c'],
    ['/?q=nothing', 'text=No goal matches'],
    [goal, '[role=log] li'],
    [`${goal}?panel=${task.tasks[0]?.shortId}`, '[role=log] li'],
    [`${goal}?panel=${run}`, '[aria-label=Transcript]'],
    ['/goals', '[data-row]'],
    ['/reviews', '[data-row]'],
    ['/reviews/R-999', 'text=All reviews'],
    [`/reviews/${reviewOf(spec)}`, 'textarea, [role=tab]'],
    [`/reviews/${reviewOf(task)}`, 'diffs-container'],
    [`/reviews/${reviewOf(task)}?tab=summary`, 'h2'],
    [`/reviews/${reviewOf(task)}?tab=checklist`, 'input[type=checkbox]'],
    ['/agents', 'main li'],
    [`/agents/${run}`, '[aria-label=Transcript]'],
    ['/ledger?by=stage&show=tokens', '.recharts-bar-rectangle'],
    ...settings.map((section): View => [`/settings/${section}`, `main h2:has-text("${section}")`]),
    ['/welcome', 'main li'],
    ['/nowhere', 'text=There is nothing'],
  ]
}

/** To another view as a link does, without loading the page again; nothing of the one before is left. */
async function goInside(page: Page, path: string): Promise<void> {
  await page.keyboard.press('Escape')
  await page.getByRole('dialog').waitFor({ state: 'detached' })
  await page.evaluate(`history.pushState({}, '', '/nowhere')`)
  await page.getByText('There is nothing').waitFor()
  await page.evaluate(`history.pushState({}, '', ${JSON.stringify(path)})`)
}

/** The dearest of axe's rules by far. */
const CONTRAST = ['color-contrast']

/** What is wrong with a view in one window. Themes differ in their colours only, and those are the same on a phone. */
async function faultsOf(page: Page, [path, ready, keys]: View): Promise<string[]> {
  await goInside(page, path)
  await page.locator(ready).first().waitFor()
  if (keys) {
    await page.keyboard.press(keys)
    await page.getByRole('dialog').waitFor()
  }
  const isPhone = page.viewportSize()?.width === PHONE.viewport.width
  await page.emulateMedia({ colorScheme: 'light' })
  const light = await violations(page, isPhone ? { without: CONTRAST } : {})
  await page.emulateMedia({ colorScheme: 'dark' })
  const dark = isPhone ? [] : await violations(page, { only: CONTRAST })
  const moving = await page.evaluate<number>('document.getAnimations().length')
  const over = await page.evaluate<number>(
    'document.documentElement.scrollWidth - window.innerWidth',
  )
  return [
    ...light.map((one) => `light: ${one}`),
    ...dark.map((one) => `dark: ${one}`),
    ...(moving > 0 ? [`${moving} animations although motion is reduced`] : []),
    ...(over > 0 ? [`${over} px too wide`] : []),
  ]
}

test('the ledger shows what was used by what one asks for, and its address says which', async () => {
  const goal = await file('Count me', '[demo:all=instant]')
  await whenGoal(goal.id, 'the spec of a goal', hasPending('spec'))
  const page = await openWindow('/ledger')
  const table = page.getByRole('region', { name: 'By goal' })
  await table.getByRole('link', { name: `${goal.shortId} Count me` }).waitFor()
  await page.getByRole('combobox', { name: 'Group by' }).click()
  await page.getByRole('option', { name: 'By stage' }).click()
  await page.getByRole('button', { name: 'Tokens' }).click()
  const spec = page.getByRole('region', { name: 'By stage' }).getByRole('row', { name: /^Spec / })
  await spec.waitFor()
  await page.waitForURL('**/ledger?by=stage&show=tokens')
  await page.reload()
  await spec.waitFor()
  await page.getByRole('img', { name: /^Tokens a day, .* The most: / }).waitFor()
})

test('every view is clean for axe in both themes, holds still when asked to, and fits a phone', async () => {
  const views = await allViews()
  const check = async (options: BrowserContextOptions) => {
    const page = await openWindow('/', { ...options, reducedMotion: 'reduce' })
    for (const view of views)
      expect.soft(await faultsOf(page, view), `${view[0]} ${view[2] ?? ''}`).toEqual([])
  }
  await Promise.all([check({}), check(PHONE)])
}, 300_000)

test('on a phone: by the drawer to everything, and a goal is filed with a finger', async () => {
  const page = await openWindow('/', PHONE)
  await page.getByRole('button', { name: 'Open navigation' }).tap()
  await page.getByRole('dialog').getByRole('link', { name: 'Agents' }).tap()
  await page.waitForURL(/\/agents/)
  await page.getByRole('dialog').waitFor({ state: 'detached' })
  await page.goto('/')
  await page.getByRole('button', { name: 'New goal' }).first().tap()
  await page.getByRole('textbox', { name: 'What should exist' }).fill('By thumb [demo:all=instant]')
  await page.getByRole('combobox', { name: 'Profile' }).tap()
  await page.getByRole('option', { name: 'Demo' }).tap()
  await page.getByRole('button', { name: 'File goal' }).tap()
  await page.waitForURL(/\/goals\/G-\d+/)
  await page.getByRole('link', { name: /^Review R-/ }).waitFor()
  // what a list leaves out is seen: the words that it is filtered by
  await page.goto('/?q=thumb')
  await page.getByRole('searchbox', { name: 'Filter by title' }).waitFor()
})

test('nothing was asked of anybody but the server itself', () => {
  const remote = asked
    .map((url) => new URL(url))
    .filter(({ protocol }) => /^(http|ws)/.test(protocol))
  const hosts = new Set(remote.map(({ host }) => host))
  expect(asked.length).toBeGreaterThan(100)
  expect([...hosts]).toEqual([new URL(at.stack.url).host])
})
