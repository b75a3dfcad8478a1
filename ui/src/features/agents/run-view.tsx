import type { AgentRunDetail } from '../../../../contracts/schemas.ts'
import { TabPanel, Tabs } from '../../components/tabs.tsx'
import { SuggestionList } from '../suggestions/suggestion-list.tsx'
import type { RunTab } from './agents-search.ts'
import { Composer } from './composer.tsx'
import { CostTab } from './cost-tab.tsx'
import { FilesTab } from './files-tab.tsx'
import { ReasoningTab } from './reasoning-tab.tsx'
import { RunHeader } from './run-header.tsx'
import { TranscriptView } from './transcript/transcript-view.tsx'

const TABS = [
  { value: 'activity', label: 'Activity' },
  { value: 'files', label: 'Files' },
  { value: 'reasoning', label: 'Reasoning' },
  { value: 'cost', label: 'Cost' },
] as const

/** All about one run, in the panel or on its page. Give it the run's id as key. */
export function RunView(props: {
  run: AgentRunDetail
  tab: RunTab
  onTab: (tab: RunTab) => void
  inPanel?: boolean
}) {
  const { run } = props
  return (
    <div className="flex min-h-0 flex-1 flex-col">
      <RunHeader run={run} inPanel={props.inPanel ?? false} />
      <Tabs
        label="About this run"
        tabs={TABS}
        value={props.tab}
        onChange={(tab) => props.onTab(tab as RunTab)}
        className="flex-1"
      >
        <TabPanel value="activity" className="flex flex-col data-[state=inactive]:hidden">
          <TranscriptView run={run} />
          {/* where the window is low, what the agent says needs the room */}
          <div className="shrink-0 [@media(max-height:500px)]:hidden [@media(max-height:700px)]:max-h-[30vh] [@media(max-height:700px)]:overflow-y-auto">
            <SuggestionList run={run.shortId} />
          </div>
          <Composer run={run} />
        </TabPanel>
        <TabPanel value="files" className="overflow-y-auto">
          <FilesTab run={run} />
        </TabPanel>
        <TabPanel value="reasoning" className="flex flex-col data-[state=inactive]:hidden">
          <ReasoningTab run={run} />
        </TabPanel>
        <TabPanel value="cost" className="overflow-y-auto">
          <CostTab run={run} />
        </TabPanel>
      </Tabs>
    </div>
  )
}
