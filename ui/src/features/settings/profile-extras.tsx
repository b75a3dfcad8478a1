import { Trash2 } from 'lucide-react'
import type { ReactNode } from 'react'
import { NETWORKS } from '../../../../contracts/agent.ts'
import type { Body } from '../../../../contracts/api.ts'
import { DEMO_PROFILE } from '../../../../contracts/profile.ts'
import type { Profile, StageAgent } from '../../../../contracts/schemas.ts'
import { AdapterSelect } from '../../components/adapter-select.tsx'
import { IconButton } from '../../components/button.tsx'
import { Select } from '../../components/select.tsx'
import { ConventionsInput } from './conventions-input.tsx'
import { NETWORK_OPTIONS } from './network-options.ts'
import { ValueInput } from './value-input.tsx'

const NONE = '-'

interface ExtrasProps {
  profile: Profile
  onChange: (change: Body<'updateProfile'>) => void
}

/** What a profile holds besides its stages: who is asked for a second opinion, who takes over, what agents reach and what they are told. */
export function ProfileExtras(props: ExtrasProps) {
  const { profile, onChange } = props
  const { name, network, conventions } = profile
  return (
    <div className="mt-3 flex flex-col gap-3">
      {name !== DEMO_PROFILE && <OtherAgents {...props} />}
      <Part
        title="Network"
        note="What agents reach where the project has a sandbox; without one it has no effect. A profile only takes away from what the project allows. It holds from the next run on."
      >
        <Select
          label={`Network of ${name}`}
          className="w-46"
          value={network ?? NONE}
          onChange={(value) =>
            onChange({ network: NETWORKS.find((network) => network === value) ?? null })
          }
          options={[{ value: NONE, label: 'As the project allows' }, ...NETWORK_OPTIONS]}
        />
      </Part>
      <Part
        title="Conventions"
        note="Every agent that works by this profile is told, from its next prompt on."
      >
        <ConventionsInput
          of={`profile/${profile.id}`}
          label={`Conventions of ${name}`}
          value={conventions}
          onSave={(text) => onChange({ conventions: text })}
        />
      </Part>
    </div>
  )
}

/** Who works besides the agents of the stages. */
function OtherAgents(props: ExtrasProps) {
  const { profile, onChange } = props
  const { name, secondOpinion, fallbacks } = profile
  return (
    <>
      <Part
        title="Second opinion"
        note="Another agent judges the security items after Verify has passed. Where the two disagree, you are asked."
      >
        <AgentChoice
          label={`second opinion of ${name}`}
          agent={secondOpinion}
          none="None"
          onChange={(agent) => onChange({ secondOpinion: agent })}
        />
      </Part>
      <Part
        title="When limited or missing"
        note="Who takes an agent’s place while its provider limits it, or where it is not installed or not logged in; the first choice first. Without one, a limit is waited for."
      >
        <ol className="flex flex-col gap-1">
          {fallbacks.map((agent, at) => (
            <li key={`${agent.adapter}/${agent.model}`} className="flex gap-1">
              <AgentChoice
                label={`choice ${at + 1} of ${name} when limited`}
                agent={agent}
                onChange={(next) =>
                  onChange({
                    fallbacks: fallbacks.flatMap((one, n) => (n === at ? (next ?? []) : one)),
                  })
                }
              />
              <IconButton
                icon={Trash2}
                label={`Remove ${agent.adapter}`}
                onClick={() => onChange({ fallbacks: fallbacks.filter((_, n) => n !== at) })}
              />
            </li>
          ))}
          <li>
            <AdapterSelect
              auto
              label={`Add who takes over in ${name}`}
              value={undefined}
              placeholder="Add an agent…"
              onChange={(adapter) => onChange({ fallbacks: [...fallbacks, { adapter }] })}
            />
          </li>
        </ol>
      </Part>
    </>
  )
}

function Part(props: { title: string; note: string; children: ReactNode }) {
  return (
    <div className="grid grid-cols-[112px_minmax(0,1fr)] gap-x-2 gap-y-1 max-md:grid-cols-1">
      <h3 className="pt-1 text-fg-2">{props.title}</h3>
      <div className="flex min-w-0 flex-col gap-1">
        <p className="text-12 text-fg-3">{props.note}</p>
        {props.children}
      </div>
    </div>
  )
}

function AgentChoice(props: {
  label: string
  agent: StageAgent | null
  /** The choice of nobody, where that is one. */
  none?: string
  onChange: (agent: StageAgent | null) => void
}) {
  const { agent, label, onChange } = props
  return (
    <span className="flex min-w-0 flex-1 gap-2">
      <AdapterSelect
        auto
        label={`Agent for the ${label}`}
        className="w-46 shrink-0"
        value={agent?.adapter ?? (props.none === undefined ? undefined : NONE)}
        more={props.none === undefined ? [] : [{ value: NONE, label: props.none }]}
        onChange={(adapter) => onChange(adapter === NONE ? null : { adapter })}
      />
      {agent && (
        <ValueInput
          label={`Model for the ${label}`}
          value={agent.model ?? ''}
          placeholder="The agent’s own choice"
          onSave={(model) =>
            onChange({ adapter: agent.adapter, ...(model === '' ? {} : { model }) })
          }
          className="max-w-72 font-mono text-12 placeholder:font-sans"
        />
      )}
    </span>
  )
}
