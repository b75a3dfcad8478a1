import { fileURLToPath } from 'node:url'
import type { Body, Reply } from '../../contracts/api.ts'
import { sameAgent } from '../../contracts/profile.ts'
import type { OwnStack } from '../support/own-stack.ts'
import { until } from '../support/until.ts'

type Goal = Reply<'getGoal'>

interface SeedGoal {
  project: string
  title: string
  text: string
  /** Which reviews are approved by a person, until none of these is left to come. */
  approve?: readonly string[]
  afterwards?: 'pause' | 'cancel'
  /** What else is asked for when it is filed. */
  more?: Partial<Body<'createGoal'>>
  /** Done with it when this holds. */
  ready: (goal: Goal) => boolean
}

const pending = (kind: string) => (goal: Goal) =>
  goal.reviews.some((review) => review.kind === kind && review.status === 'pending')
const over = ({ status }: Goal) => status === 'completed' || status === 'cancelled'
const limited = (goal: Goal) => goal.stages.some(({ resumesAt }) => resumesAt !== null)
const running = (stage: string) => (goal: Goal) =>
  goal.stages.some((state) => state.stage === stage && state.status === 'running')

const JUDGED = 'With a second opinion'
const JUDGE = fileURLToPath(new URL('../support/acp-judge.mjs', import.meta.url))
/** The configuration of a stack whose goals can have a second opinion. */
export const JUDGE_CONFIG = `[acp.judge]\ntitle = "Judge"\ncommand = "${JUDGE}"\n`

/** A goal in each state that a screen can show, played by the demo agent. */
const GOALS: readonly SeedGoal[] = [
  {
    ...{ project: 'textkit', title: 'Slugs, word counts and durations for textkit' },
    text: "The three functions of `textkit` should work:\n\n- `slugify` makes a title a part of a URL\n- `wordCount` counts words as people do\n- `formatDuration` says seconds in two units\n\nThe project's own tests tell what is right.",
    approve: ['spec', 'task', 'merge'],
    ready: over,
  },
  {
    ...{ project: 'relay', title: 'Rate limit for the public API' },
    text: 'Each key may call the public API 600 times a minute. Over that, answer 429 with `Retry-After`. [demo:tasks=3]',
    ready: pending('spec'),
  },
  {
    ...{ project: 'textkit', title: 'A command that summarises a folder of notes' },
    text: 'One line for each file: name, words, reading time. [demo:chain=4][demo:implement=slow:86400]',
    approve: ['spec'],
    ready: running('implement'),
  },
  {
    ...{ project: 'relay', title: 'Webhooks are retried with backoff' },
    text: 'A delivery that fails is tried again after 1, 5 and 30 minutes. [demo:tasks=2][demo:verify=reject-once][demo:audit=slow:86400]',
    approve: ['spec', 'task'],
    ready: running('audit'),
  },
  {
    ...{ project: 'relay', title: 'Move sessions to signed cookies' },
    text: 'Sessions should survive a restart of the server. [demo:implement=auth]',
    approve: ['spec'],
    ready: ({ status }) => status === 'needs_attention',
  },
  {
    ...{
      project: 'textkit',
      title:
        'Read front matter of Markdown files, whatever a note begins with, and keep its order when it is written back',
    },
    text: 'YAML between two lines of dashes. [demo:implement=slow:86400]',
    approve: ['spec'],
    afterwards: 'pause',
    ready: running('implement'),
  },
  {
    ...{ project: 'relay', title: 'Durations that people can read' },
    text: 'The status page says `93784 s`. It should say `1 d 2 h`. [demo:tasks=1]',
    approve: ['spec'],
    ready: (goal) => pending('task')(goal) || over(goal),
  },
  {
    ...{ project: 'relay', title: 'دعم العناوين من اليمين إلى اليسار في لوحة التحكم' },
    text: 'يجب أن تظهر النصوص العربية من اليمين إلى اليسار. [demo:tasks=2]',
    approve: ['spec'],
    ready: (goal) => pending('task')(goal) || over(goal),
  },
  {
    ...{ project: 'textkit', title: 'Publish textkit as a browser bundle' },
    text: 'One file, no dependencies. [demo:spec=slow:86400]',
    afterwards: 'cancel',
    ready: running('spec'),
  },
  {
    ...{ project: 'relay', title: 'A changelog page from the merged goals' },
    text: 'One entry for each merge, newest first. [demo:spec=quota:5400]',
    ready: limited,
  },
  {
    ...{ project: 'relay', title: 'Move the queue to Postgres' },
    text: 'One table, `skip locked`, no new service. [demo:tasks=1][demo:implement=tokens:60000,slow:2]',
    more: { tokenBudget: 20_000 },
    approve: ['spec'],
    ready: pending('budget'),
  },
  {
    ...{ project: 'relay', title: 'Accept uploads up to 25 MB' },
    text: 'Stream them to disk, refuse what is larger. [demo:tasks=1] [judge:SEC-2=fail]',
    more: { profile: JUDGED },
    approve: ['spec'],
    ready: pending('task'),
  },
]

/** What a person told an agent again and again. */
const SAID = ['Use British spelling', 'Please use British spelling', 'use british spelling!']

/** Fills a stack with projects and goals. Resolves when each goal is where it should be. */
export async function seed(stack: OwnStack, say: (line: string) => void): Promise<void> {
  await stack.call('PATCH', '/api/settings', { maxConcurrent: 8, displayName: 'Ada' })
  for (const name of ['textkit', 'relay'])
    await stack.insist('POST', '/api/projects', { path: stack.repository(name).path })
  await stack.insist('POST', '/api/profiles', {
    ...{ name: JUDGED, stages: sameAgent({ adapter: 'demo' }) },
    secondOpinion: { adapter: 'acp:judge' },
  })
  for (const one of GOALS) {
    await seedGoal(stack, one)
    say(`  ${one.title}`)
  }
  const { body } = await stack.insist('GET', '/api/agents?state=live')
  for (const text of SAID)
    await stack.insist('POST', `/api/agents/${body.items[0].id}/corrections`, { text })
}

async function seedGoal(stack: OwnStack, one: SeedGoal): Promise<void> {
  const { project, title, text: description, more } = one
  const body = { project, title, description, profile: 'Demo', ...more }
  const filed = await stack.insist('POST', '/api/goals', body)
  if (filed.status !== 202) throw new Error(`${title}: ${JSON.stringify(filed.body)}`)
  const { id } = filed.body
  const read = async (): Promise<Goal> => (await stack.insist('GET', `/api/goals/${id}`)).body
  await until(
    async () => {
      const goal = await read()
      if (one.ready(goal)) return goal
      const due = goal.reviews.find(
        ({ status, kind }) => status === 'pending' && one.approve?.includes(kind),
      )
      if (due) await approve(stack, due.id)
      return undefined
    },
    { ms: 120_000, what: title },
  )
  if (one.afterwards) await stack.insist('POST', `/api/goals/${id}/${one.afterwards}`, {})
}

async function approve(stack: OwnStack, id: string): Promise<void> {
  const { body: review } = await stack.insist('GET', `/api/reviews/${id}`)
  await stack.insist('POST', `/api/reviews/${id}/decision`, {
    ...{ decision: 'approve', hash: review.hash, via: 'ui' },
    checklist: review.checklist.map((item: { id: string }) => item.id),
  })
}
