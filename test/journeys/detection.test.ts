import { chmodSync, existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Reply } from '../../contracts/api.ts'
import { sameAgent } from '../../contracts/profile.ts'
import { violations } from '../support/axe.ts'
import { launchBrowser } from '../support/browser.ts'
import { browserTest } from '../support/browser-test.ts'
import { type Installation, isOver, startInstallation } from '../support/installation.ts'
import { until } from '../support/until.ts'

type Adapter = Reply<'listAdapters'>['items'][number]

let at: Installation
beforeAll(async () => {
  at = await startInstallation({
    env: { PATH: '/usr/bin:/bin' },
    config: '[acp.mine]\ncommand = "my-agent"\n',
  })
})
afterAll(() => at.close())

/** Answers as Claude Code does to the two questions of detection. */
function fakeClaude(file: string, version: string): string {
  mkdirSync(dirname(file), { recursive: true })
  const script = `#!/bin/sh\n[ "$1" = auth ] && echo '{"loggedIn":true}' || echo '${version} (Claude Code)'\n`
  writeFileSync(file, script)
  chmodSync(file, 0o755)
  return file
}

async function scan(ready: (claude: Adapter) => boolean): Promise<Adapter> {
  await at.call('POST', '/api/adapters/scan', {})
  return claudeThat(ready)
}

const claudeThat = (ready: (claude: Adapter) => boolean) => agentThat('claude', ready)

const agentThat = (name: string, ready: (agent: Adapter) => boolean) =>
  until(
    async () => {
      const { body } = await at.call<Reply<'listAdapters'>>('GET', '/api/adapters')
      const agent = body.items.find(({ adapter }) => adapter === name)
      return agent && ready(agent) ? agent : undefined
    },
    { ms: 30_000, what: 'a look for agents' },
  )

async function agentsFinding() {
  const { body } = await at.call<Reply<'runDoctor'>>('POST', '/api/doctor', { repair: false })
  return body.findings.find(({ name }) => name === 'agents')
}

test('an agent is found in its place; a copy in a project is told of and not started; a wrong path is an error', async () => {
  const { repo, id } = await at.project()
  const own = fakeClaude(join(at.home, '.nvm/versions/node/v22.1.0/bin/claude'), '2.1.400')
  const inside = fakeClaude(join(repo, 'bin/claude'), '9.9.9')
  mkdirSync(join(at.home, '.local', 'bin'), { recursive: true })
  symlinkSync(inside, join(at.home, '.local', 'bin', 'claude'))
  const found = await scan((claude) => claude.found)
  expect(found).toMatchObject({
    version: '2.1.400',
    binary: own,
    place: 'nvm',
    login: 'ready',
    capabilities: expect.arrayContaining(['corrections', 'cost']),
    others: [
      { path: join(at.home, '.local/bin/claude'), why: `it is inside ${repo}, where agents work` },
    ],
  })
  expect(await agentsFinding()).toMatchObject({
    ok: true,
    message: expect.stringContaining(`it is inside ${repo}`),
  })

  const relative = await at.call('PATCH', '/api/settings', { claudePath: 'claude' })
  expect(relative.status).toBe(422)
  for (const [path, why] of [
    [`${own}-not`, 'there is no program at'],
    [inside, `it is inside ${repo}, where agents work`],
  ] as const)
    expect(await at.call('PATCH', '/api/settings', { claudePath: path })).toMatchObject({
      status: 422,
      body: { code: 'bad_setting', detail: expect.stringContaining(why) },
    })
  // one that was right when it was set; the change itself has them looked for again
  const later = fakeClaude(join(at.home, 'later/claude'), '2.1.500')
  expect((await at.call('PATCH', '/api/settings', { claudePath: later })).status).toBe(200)
  await claudeThat(({ version }) => version === '2.1.500')
  chmodSync(later, 0o777)
  await at.call('POST', '/api/adapters/scan', {})
  const refused = await claudeThat((claude) => !claude.found)
  expect(refused.advice).toBe(
    `The program that was set is wrong: ${later} is not started: ${later} may be written by everybody (chmod o-w)`,
  )
  expect(await agentsFinding()).toMatchObject({ ok: false })

  const stages = sameAgent({ adapter: 'claude' })
  expect((await at.call('POST', '/api/profiles', { name: 'Claude', stages })).status).toBe(201)
  const wish = { project: id, description: 'Finish textkit', profile: 'Claude' }
  expect(await at.call('POST', '/api/goals', wish)).toMatchObject({
    status: 409,
    body: { code: 'no_agent', advice: expect.stringContaining(`${later} is not started`) },
  })
  chmodSync(later, 0o755)
  await scan((claude) => claude.found)
  chmodSync(later, 0o777)
  const goal = await at.goal(id, 'Finish textkit', { profile: 'Claude' })
  const stuck = await at.until(goal.id, (g) => isOver(g))
  expect(stuck).toMatchObject({ status: 'needs_attention', reason: refused.advice })
})

browserTest(
  'settings show the copies and the reasons, take a path, and shut a project in',
  async () => {
    const browser = await launchBrowser()
    const page = await browser.newPage({
      viewport: { width: 1280, height: 900 },
      reducedMotion: 'reduce',
    })
    try {
      await page.goto(`${at.url}/settings/agents`)
      const path = page.getByRole('textbox', { name: 'Program of Claude Code' })
      await path.waitFor()
      await path.fill('claude')
      await path.press('Enter')
      await page.getByText('must be the absolute path of a program').waitFor()
      await path.fill('')
      await path.press('Enter')
      const copies = page.getByText('One other copy')
      await copies.click()
      await page.getByText('where agents work').waitFor()
      await page.getByText('takes corrections').first().waitFor()
      expect(await violations(page)).toEqual([])
      await page.goto(`${at.url}/settings/projects`)
      const sandbox = page.getByRole('combobox', { name: /^Sandbox of/ })
      await sandbox.click()
      await page.getByRole('option', { name: 'bubblewrap' }).click()
      // set, or refused with what to install
      const network = page.getByRole('combobox', { name: /^Network of/ })
      await network.or(page.getByText('No sandbox can be made here')).waitFor()
      expect(await violations(page)).toEqual([])
    } finally {
      await browser.close()
    }
  },
)

test('an agent of config.toml is not started either from inside a project', async () => {
  const { repo, id } = await at.project()
  const started = join(at.home, 'my-agent-was-started')
  const inside = join(repo, 'bin/my-agent')
  mkdirSync(dirname(inside), { recursive: true })
  writeFileSync(inside, `#!/bin/sh\ntouch '${started}'\n`, { mode: 0o755 })
  const own = join(at.home, '.local', 'bin', 'my-agent')
  mkdirSync(dirname(own), { recursive: true })
  writeFileSync(own, '#!/bin/sh\n', { mode: 0o755 })
  await at.call('POST', '/api/adapters/scan', {})
  await agentThat('acp:mine', ({ found }) => found)
  // it is looked at again when it is to be started
  rmSync(own)
  symlinkSync(inside, own)
  const stages = sameAgent({ adapter: 'acp:mine' })
  expect((await at.call('POST', '/api/profiles', { name: 'Mine', stages })).status).toBe(201)
  const goal = await at.goal(id, 'Finish textkit', { profile: 'Mine' })
  const stuck = await at.until(goal.id, (g) => isOver(g))
  expect(stuck.reason).toContain(`it is inside ${repo}, where agents work`)
  expect(existsSync(started)).toBe(false)
})
