import { defineCommand } from '../command.ts'
import { printPage } from '../page.ts'

export const profiles = defineCommand({
  name: 'profiles',
  summary: 'List pipeline profiles and the agents they use',
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
        secondOpinion ? nameOf(secondOpinion) : '',
        fallbacks.map(nameOf).join(', '),
        id,
      ],
    })
  },
})

const nameOf = ({ adapter, model }: { adapter: string; model?: string | undefined }) =>
  model ? `${adapter}/${model}` : adapter

/** `claude`, or `claude (spec, verify), codex (implement)` when they differ. */
function agentsOf(stages: Record<string, { adapter: string; model?: string | undefined }>): string {
  const byAgent = new Map<string, string[]>()
  for (const [stage, { adapter, model }] of Object.entries(stages)) {
    const agent = nameOf({ adapter, model })
    byAgent.set(agent, [...(byAgent.get(agent) ?? []), stage])
  }
  if (byAgent.size === 1) return [...byAgent.keys()].join()
  return [...byAgent].map(([agent, of]) => `${agent} (${of.join(', ')})`).join(', ')
}
