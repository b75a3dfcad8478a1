import type { Network } from '../../../../contracts/agent.ts'
import type { Option } from '../../components/select.tsx'

/** What agents in a sandbox reach, the narrowest first. */
export const NETWORK_OPTIONS: readonly (Option & { value: Network })[] = [
  { value: 'none', label: 'Nothing' },
  { value: 'agent', label: 'Their model' },
  { value: 'all', label: 'Other machines' },
]
