import { NETWORKS } from '../../contracts/agent.ts'
import type { Body } from '../../contracts/api.ts'
import type { Profile, StageAgent } from '../../contracts/schemas.ts'
import { AGENT_STAGES } from '../../contracts/stages.ts'
import { defineCommand } from '../command.ts'
import { CliFailure, EXIT, usageFailure } from '../failure.ts'
import type { Io } from '../io.ts'
import { printPage } from '../page.ts'
import { shellWord } from '../shell-word.ts'
import { oneLine } from '../terminal-text.ts'
import { nameOfAgent } from '../who-works.ts'

export const profiles = defineCommand({
  name: 'profiles',
  summary: 'List pipeline profiles and the agents they use',
  prints: { replies: ['listProfiles'] },
  args: {},
  options: {},
  examples: ['dispatch profiles'],
  async run(_options, deps, io) {
    const page = await deps.call('listProfiles')
    return printPage(io, page, {
      none: 'No profiles.',
      columns: [
        { title: 'NAME' },
        { title: 'AGENTS', flexible: true },
        { title: 'SECOND OPINION' },
        { title: 'INSTEAD', flexible: true },
        { title: 'ID' },
      ],
      row: ({ name, stages, secondOpinion, fallbacks, id }) => [
        name,
        agentsOf(stages),
        secondOpinion ? nameOfAgent(secondOpinion) : '',
        fallbacks.map(nameOfAgent).join(', '),
        id,
      ],
    })
  },
})

export const profilesShow = defineCommand({
  name: 'profiles show',
  summary: 'Show a profile: who does each stage, and what its agents are told',
  prints: { replies: ['getProfile'] },
  args: { profile: { required: true, help: 'a profile, by name or id' } },
  options: {},
  examples: ['dispatch profiles show Default'],
  async run({ profile: named }, deps, io) {
    return print(await deps.call('getProfile', { params: { id: named } }), io)
  },
})

export const profilesSet = defineCommand({
  name: 'profiles set',
  summary: 'Change a profile; goals that have begun keep what they began with',
  prints: { replies: ['updateProfile'] },
  args: {
    profile: { required: true, help: 'a profile, by name or id' },
    stage: { help: 'a stage, or all: with nobody instead', choices: ['all', ...AGENT_STAGES] },
    agent: { help: 'who does it: an agent of `dispatch adapters`, auto, or an agent/model' },
  },
  options: {
    name: { type: 'string', help: 'its new name' },
    'second-opinion': {
      type: 'string',
      value: 'agent',
      help: 'who verifies what is security a second time, or none',
    },
    fallbacks: {
      type: 'string',
      value: 'agents',
      help: 'who works instead where one cannot, with commas between, or none',
    },
    network: {
      type: 'string',
      value: 'what',
      help: 'what its agents reach in a sandbox, where that is less than the project allows',
      choices: ['project', ...NETWORKS],
    },
    set: {
      type: 'string',
      value: 'text',
      mayBeEmpty: true,
      help: 'its conventions, as Markdown ("-": stdin, "": none)',
    },
  },
  examples: [
    'dispatch profiles set Default implement codex/gpt-5',
    'dispatch profiles set Default all claude --second-opinion gemini --fallbacks codex,gemini',
    'dispatch profiles set Careful --network none',
    'dispatch profiles set Default --set - < conventions.md',
  ],
  surplus: 'One stage at a time: run it once for each, or set all.',
  async run({ profile: named, stage, agent, set, ...options }, deps, io) {
    if ((stage === undefined) !== (agent === undefined))
      throw usageFailure('Name a stage and who does it.', `Stages: ${AGENT_STAGES.join(', ')}.`)
    const of = AGENT_STAGES.filter((each) => stage === 'all' || stage === each)
    const { name, fallbacks, network, 'second-opinion': second } = options
    // all is all: who pays for one agent must not be surprised by another
    const alone = stage === 'all' && fallbacks === undefined
    const instead = alone ? 'none' : fallbacks
    const body: Body<'updateProfile'> = {
      ...(agent ? { stages: Object.fromEntries(of.map((each) => [each, agentOf(agent)])) } : {}),
      ...(name === undefined ? {} : { name }),
      ...(second === undefined
        ? {}
        : { secondOpinion: second === 'none' ? null : agentOf(second) }),
      ...(instead === undefined
        ? {}
        : { fallbacks: instead === 'none' ? [] : instead.split(',').map(agentOf) }),
      ...(network === undefined
        ? {}
        : { network: NETWORKS.find((each) => each === network) ?? null }),
      ...(set === undefined ? {} : { conventions: set === '-' ? await io.readAll() : set }),
    }
    if (Object.keys(body).length === 0)
      throw usageFailure('Say what to change.', 'See dispatch profiles set --help.')
    const code = print(await deps.call('updateProfile', { params: { id: named }, body }), io)
    if (alone)
      io.note(
        `Nobody works instead where one is limited. To let others: dispatch profiles set ${shellWord(oneLine(named))} --fallbacks auto`,
      )
    return code
  },
})

export const profilesCreate = defineCommand({
  name: 'profiles create',
  summary: 'Make a profile like another one',
  prints: { replies: ['createProfile'] },
  args: { name: { required: true, help: 'its name' } },
  options: { from: { type: 'string', value: 'profile', help: 'what it begins as (Default)' } },
  examples: ['dispatch profiles create Careful --from Default'],
  async run({ name, from = 'Default' }, deps, io) {
    const like = await deps.call('getProfile', { params: { id: from } })
    const { stages, conventions, secondOpinion, fallbacks, network } = like
    const body = { name, stages, conventions, secondOpinion, fallbacks, network }
    const made = await deps.call('createProfile', { body })
    print(made, io)
    io.note(`Change it: dispatch profiles set ${shellWord(oneLine(made.name))} implement codex`)
    return EXIT.ok
  },
})

export const profilesDelete = defineCommand({
  name: 'profiles delete',
  summary: 'Delete a profile that no project uses; goals that began with it keep it',
  prints: { replies: ['deleteProfile'] },
  args: { profile: { required: true, help: 'a profile, by name or id' } },
  options: { yes: { type: 'boolean', short: 'y', help: 'do not ask' } },
  examples: ['dispatch profiles delete Careful'],
  async run({ profile: named, yes }, deps, io) {
    if (io.interactive && !yes && !(await io.confirm(`Delete ${io.clean(named)}?`)))
      throw new CliFailure('refused', 'declined', `${named} was not deleted.`)
    const gone = await deps.call('deleteProfile', { params: { id: named } })
    if (io.json) io.document(gone)
    io.print(`${oneLine(named)} deleted`)
    return EXIT.ok
  },
})

function print(profile: Profile, io: Io): number {
  if (io.json) {
    io.document(profile)
    return EXIT.ok
  }
  const { stages, secondOpinion, fallbacks, network, conventions } = profile
  io.table(
    [{ title: 'STAGE' }, { title: 'AGENT', flexible: true }],
    [
      ['name', profile.name],
      ...AGENT_STAGES.map((stage) => [stage, nameOfAgent(stages[stage])]),
      ...(secondOpinion ? [['second opinion', nameOfAgent(secondOpinion)]] : []),
      ...(fallbacks.length > 0 ? [['instead', fallbacks.map(nameOfAgent).join(', ')]] : []),
      ...(network ? [['network', `${network}, in a sandbox`]] : []),
    ],
  )
  if (conventions !== '') io.print(`\n${io.clean(conventions)}`)
  return EXIT.ok
}

/** `codex`, or `codex/gpt-5` with its model. */
function agentOf(text: string): StageAgent {
  const [adapter = '', ...model] = text.trim().split('/')
  return { adapter, ...(model.length > 0 ? { model: model.join('/') } : {}) }
}

/** `claude`, or `claude (spec, verify), codex (implement)` when they differ. */
function agentsOf(stages: Record<string, { adapter: string; model?: string | undefined }>): string {
  const byAgent = new Map<string, string[]>()
  for (const [stage, { adapter, model }] of Object.entries(stages)) {
    const agent = nameOfAgent({ adapter, model })
    byAgent.set(agent, [...(byAgent.get(agent) ?? []), stage])
  }
  if (byAgent.size === 1) return [...byAgent.keys()].join()
  return [...byAgent].map(([agent, of]) => `${agent} (${of.join(', ')})`).join(', ')
}
