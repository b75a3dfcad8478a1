import type { Goal } from '../../../../contracts/schemas.ts'
import { AGENT_STAGES, STAGE_TITLES } from '../../../../contracts/stages.ts'

/** Why Auto Model chose each stage's agent, in its words; nothing where a profile names them. */
export function WhyAgents({ profile }: Pick<Goal, 'profile'>) {
  const chosen = AGENT_STAGES.filter((stage) => profile.stages[stage].reason !== undefined)
  if (chosen.length === 0) return null
  return (
    <details className="text-12 text-fg-2">
      <summary className="w-fit rounded-sm text-fg-3 hover:text-fg">Why these agents</summary>
      <ul className="flex flex-col gap-1 pt-1">
        {chosen.map((stage) => (
          <li key={stage}>
            <span className="font-medium">{STAGE_TITLES[stage]}</span>{' '}
            {profile.stages[stage].reason}
          </li>
        ))}
      </ul>
    </details>
  )
}
