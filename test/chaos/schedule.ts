import { STAGES, type Stage } from '../../contracts/stages.ts'

export const SERVICES = ['worker', 'api', 'temporal', 'postgres'] as const
export type Service = (typeof SERVICES)[number]
export type Victim = Service | 'runner' | 'agent'

/** What is killed when, and how it comes back. */
export interface Schedule {
  index: number
  stage: Stage
  /** In `review`: while it waits, or in the instant of the decision. */
  moment: 'running' | 'waiting' | 'deciding'
  victims: readonly Victim[]
  /** After the moment was seen, in ms. */
  delayMs: number
  /** `never`: it stays down until the state that people see was found to be true. */
  comeback: 'at_once' | 'late' | 'never'
  downMs: number
  agent: 'silent' | 'talkative'
  tasks: 'one' | 'two' | 'with_frontend'
}

/** Numbers below 1, the same for the same seed (mulberry32, public domain). */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}

/**
 * The first `count` schedules of a seed. Every victim meets every stage in which it can live once (in an order that the
 * seed gives) before any cell comes twice; from then on, two die at once.
 */
export function schedulesOf(seed: number, count: number): Schedule[] {
  const random = randomOf(seed)
  const singles = shuffled(cells(), random)
  return Array.from({ length: count }, (_, index) => {
    const { stage, victim } = singles[index % singles.length] as Cell
    const double = index >= singles.length
    return plan(
      { index, stage, victims: double ? [victim, second(victim, random)] : [victim] },
      random,
    )
  })
}

interface Cell {
  stage: Stage
  victim: Victim
}

const hasAgent = (stage: Stage) => stage !== 'review' && stage !== 'merge'

const cells = (): Cell[] =>
  STAGES.flatMap((stage) => {
    const victims: Victim[] = hasAgent(stage) ? [...SERVICES, 'runner', 'agent'] : [...SERVICES]
    return victims.map((victim) => ({ stage, victim }))
  })

function second(first: Victim, random: () => number): Service {
  return pick(
    SERVICES.filter((service) => service !== first),
    random,
  )
}

function plan(base: Pick<Schedule, 'index' | 'stage' | 'victims'>, random: () => number): Schedule {
  const { stage, victims } = base
  const services = victims.some(isService)
  const moment = stage === 'review' ? pick(['waiting', 'deciding'] as const, random) : 'running'
  const comeback = pick(['at_once', 'at_once', 'late', 'never'] as const, random)
  const longest = stage === 'merge' ? 400 : moment === 'deciding' ? 40 : 1_800
  return {
    ...base,
    moment,
    delayMs: Math.floor(random() * longest),
    // a runner and an agent have nobody who starts them again but Dispatch itself
    comeback: services ? comeback : 'at_once',
    downMs: 3_000 + Math.floor(random() * 7_000),
    agent: pick(['silent', 'talkative'] as const, random),
    tasks: stage === 'frontend' ? 'with_frontend' : pick(['one', 'two'] as const, random),
  }
}

export const isService = (victim: Victim): victim is Service =>
  (SERVICES as readonly string[]).includes(victim)

/** One line for people. */
export function describeSchedule({
  victims,
  stage,
  moment,
  delayMs,
  comeback,
  downMs,
  agent,
  tasks,
}: Schedule): string {
  const when = moment === 'running' ? stage : `${stage} (${moment})`
  const back = {
    at_once: 'back at once',
    late: `back after ${downMs} ms`,
    never: 'down until noticed',
  }[comeback]
  return `${victims.join(' + ')} in ${when} + ${delayMs} ms, ${back}; ${agent} agent, ${tasks.replace('_', ' ')}`
}

/** The goal's text: only the stage in question takes its time. */
export function goalText({ stage, agent, tasks, index, victims }: Schedule): string {
  // a run can be killed only while it is at work, and who looks for it may be without a database for some seconds
  const seconds = victims.every(isService) ? 2 : 12
  const how = agent === 'silent' ? 'silent' : 'slow'
  const slow = hasAgent(stage) ? ` [demo:${stage}=${how}:${seconds}]` : ''
  const shape = { one: ' [demo:tasks=1]', two: '', with_frontend: ' [demo:frontend]' }[tasks]
  return `Finish textkit, drill ${index} [demo:all=instant]${slow}${shape}`
}

const pick = <T>(from: readonly T[], random: () => number): T =>
  from[Math.floor(random() * from.length)] as T

function shuffled<T>(items: readonly T[], random: () => number): T[] {
  const left = [...items]
  const result: T[] = []
  while (left.length > 0) result.push(...left.splice(Math.floor(random() * left.length), 1))
  return result
}
