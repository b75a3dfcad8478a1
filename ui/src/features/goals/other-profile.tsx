import { useQuery } from '@tanstack/react-query'
import type { Goal } from '../../../../contracts/schemas.ts'
import { profilesQuery } from '../../app/queries.ts'
import { Select } from '../../components/select.tsx'

const AS_BEFORE = '\u0000'

/** With whose agents a goal goes on: its own as they are kept, or those of a profile as it is now. Undefined: its own. */
export function OtherProfile(props: {
  goal: Goal
  value: string | undefined
  onChange: (profile: string | undefined) => void
}) {
  const profiles = useQuery(profilesQuery()).data?.items ?? []
  return (
    <Select
      label="Profile to go on with"
      className="max-w-44"
      value={props.value ?? AS_BEFORE}
      onChange={(value) => props.onChange(value === AS_BEFORE ? undefined : value)}
      options={[
        { value: AS_BEFORE, label: `As before: ${props.goal.profile.name}` },
        ...profiles.map(({ name }) => ({ value: name, label: name })),
      ]}
    />
  )
}
