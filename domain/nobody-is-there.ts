import { AUTO } from '../contracts/agent.ts'
import type { StageAgent } from '../contracts/schemas.ts'
import type { Candidate } from './auto-model.ts'

/** Whether nobody that a profile names is there: each was looked for and not found, and `auto` has none to choose. */
export function nobodyIsThere(
  { stages, fallbacks }: { stages: object; fallbacks: readonly StageAgent[] },
  candidates: readonly Candidate[],
): boolean {
  const named: StageAgent[] = [...Object.values(stages), ...fallbacks]
  return named.every(({ adapter }) =>
    adapter === AUTO
      ? candidates.every(({ found, demo }) => !found || demo)
      : candidates.find((one) => one.adapter === adapter)?.found === false,
  )
}
