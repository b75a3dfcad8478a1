import { Lightbulb } from 'lucide-react'
import { useMemo } from 'react'
import type { AgentRunDetail } from '../../../../contracts/schemas.ts'
import { EmptyState, ErrorState, SkeletonRows } from '../../components/states.tsx'
import { BlockList } from './transcript/block-list.tsx'
import { createBlocks } from './transcript/transcript-blocks.ts'
import { useEntries } from './use-entries.ts'

/** What the agent thought, without what it did. */
export function ReasoningTab({ run }: { run: AgentRunDetail }) {
  const { items, ready, error, retry } = useEntries(run.id, 'reasoning')
  const blocks = useMemo(() => {
    const made = createBlocks()
    // as words: here they are what is looked at, and not folded away
    made.append(items.map((entry) => ({ ...entry, kind: 'text' })))
    return made
  }, [items])
  if (error) return <ErrorState error={error} onRetry={retry} />
  if (!ready) return <SkeletonRows rows={4} label="Loading reasoning" />
  if (blocks.list.length === 0)
    return (
      <EmptyState
        icon={Lightbulb}
        title="No reasoning to show"
        detail="Some agents and models keep it to themselves; what this one did is under Activity."
      />
    )
  return (
    <BlockList
      label="Reasoning"
      blocks={blocks.list}
      appended={blocks.appended}
      corrections={[]}
      find=""
    />
  )
}
