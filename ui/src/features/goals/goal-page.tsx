import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import type { Goal } from '../../../../contracts/schemas.ts'
import { goalQuery } from '../../app/queries.ts'
import { buttonClass } from '../../components/button.tsx'
import { Budget, Cost, Time, Tokens } from '../../components/figures.tsx'
import { InlineCode } from '../../components/inline-code.tsx'
import { Markdown } from '../../components/markdown.tsx'
import { PageHeader } from '../../components/page-header.tsx'
import { ErrorState, SkeletonRows } from '../../components/states.tsx'
import { StatusIcon } from '../../components/status-icon.tsx'
import { TabPanel, Tabs } from '../../components/tabs.tsx'
import { MEDIUM, useMedia } from '../../lib/use-media.ts'
import { GoalActions } from './goal-actions.tsx'
import { GoalBanners, whyBeside } from './goal-banners.tsx'
import { GoalFeed } from './goal-feed.tsx'
import { goalStatus } from './goal-groups.ts'
import { GoalTasks } from './goal-tasks.tsx'
import { StageStrip } from './stage-strip.tsx'
import { useGoalActs } from './use-goal-acts.ts'
import { WhyAgents } from './why-agents.tsx'

const route = getRouteApi('/goals/$id')

/** One goal: where it stands, what happens, what it is made of. */
export function GoalPage() {
  const { id } = route.useParams()
  const { data: goal, error, refetch } = useQuery(goalQuery(id))
  if (!goal)
    return (
      <>
        <PageHeader crumbs={[{ label: 'Goals', to: '/' }, { label: id }]} />
        {error ? (
          <ErrorState error={error} onRetry={() => void refetch()}>
            <Link to="/" className={buttonClass()}>
              All goals
            </Link>
          </ErrorState>
        ) : (
          <SkeletonRows label={`Loading ${id}`} />
        )}
      </>
    )
  return <GoalView key={goal.id} goal={goal} />
}

function GoalView({ goal }: { goal: Goal }) {
  const acts = useGoalActs(goal)
  return (
    <>
      <PageHeader
        crumbs={[
          { label: 'Goals', to: '/' },
          { label: goal.title, id: goal.shortId },
        ]}
      >
        <GoalActions goal={goal} acts={acts} />
      </PageHeader>
      <GoalBanners goal={goal} acts={acts} />
      <StageStrip goal={goal} />
      <Body goal={goal} />
    </>
  )
}

const TABS = ['activity', 'tasks', 'about'] as const

/** What happens beside what it is made of; one after the other where there is no room. */
function Body({ goal }: { goal: Goal }) {
  const medium = useMedia(MEDIUM)
  const { tab } = route.useSearch()
  const navigate = route.useNavigate()
  if (medium)
    return (
      <Tabs
        label="Parts of the goal"
        className="flex-1"
        tabs={[
          { value: 'activity', label: 'Activity' },
          { value: 'tasks', label: 'Tasks', count: goal.tasks.length },
          { value: 'about', label: 'About' },
        ]}
        value={tab ?? TABS[0]}
        onChange={(value) =>
          void navigate({
            search: (before) => ({ ...before, tab: TABS.find((one) => one === value) }) as never,
            replace: true,
          })
        }
      >
        <TabPanel value="activity" className="flex flex-col data-[state=inactive]:hidden">
          <GoalFeed goal={goal} />
        </TabPanel>
        <TabPanel value="tasks" className="overflow-y-auto pt-2">
          <GoalTasks goal={goal} />
        </TabPanel>
        <TabPanel value="about" className="overflow-y-auto">
          <Facts goal={goal} />
          <Markdown text={goal.description} className="border-t px-4 py-3 text-fg-2" />
        </TabPanel>
      </Tabs>
    )
  return (
    <div className="flex min-h-0 flex-1">
      <section aria-labelledby="activity" className="flex min-h-0 min-w-0 flex-1 flex-col">
        <Heading id="activity">Activity</Heading>
        <GoalFeed goal={goal} />
      </section>
      <aside
        aria-label="About the goal"
        className="w-[272px] shrink-0 overflow-y-auto border-l xl:w-[320px]"
      >
        <Facts goal={goal} />
        <Heading id="tasks" className="border-t">
          Tasks
          {goal.tasks.length > 0 && (
            <span className="font-normal text-fg-3">{goal.tasks.length}</span>
          )}
        </Heading>
        <GoalTasks goal={goal} />
        <Heading id="goal" className="border-t">
          Goal
        </Heading>
        <Markdown text={goal.description} className="px-4 pb-4 text-fg-2" />
      </aside>
    </div>
  )
}

function Heading({
  id,
  className,
  children,
}: {
  id: string
  className?: string
  children: ReactNode
}) {
  return (
    <h2
      id={id}
      className={`flex h-9 shrink-0 items-center gap-2 px-4 text-12 font-medium text-fg-2 ${className ?? ''}`}
    >
      {children}
    </h2>
  )
}

function Facts({ goal }: { goal: Goal }) {
  const why = whyBeside(goal)
  return (
    <dl className="grid grid-cols-[88px_minmax(0,1fr)] gap-y-1.5 px-4 py-3 text-13 [&_dd]:min-w-0 [&_dt]:text-fg-3">
      <dt>State</dt>
      <dd>
        <StatusIcon status={goalStatus(goal)} className="font-medium" />
        {why && (
          <p className="break-words text-12 text-fg-2">
            <InlineCode text={why} />
          </p>
        )}
      </dd>
      <dt>Project</dt>
      <dd className="truncate">
        <bdi>{goal.projectName}</bdi>
      </dd>
      <dt>Merges to</dt>
      <dd className="truncate font-mono text-12/5">
        {goal.targetBranch}
        {goal.mergedCommit && <span className="text-fg-3"> {goal.mergedCommit.slice(0, 8)}</span>}
      </dd>
      <dt>Profile</dt>
      <dd>
        <p className="truncate">{goal.profileName}</p>
        <WhyAgents profile={goal.profile} />
      </dd>
      <dt>Spent</dt>
      <dd className="flex gap-2">
        <Tokens usage={goal.usage} />
        <Cost usage={goal.usage} exact className="text-fg-2" />
      </dd>
      {goal.goalBudget > 0 && (
        <>
          <dt>Budget</dt>
          <dd>
            <Budget used={goal.usage.total} budget={goal.goalBudget} what="Budget of the goal" />
          </dd>
        </>
      )}
      <dt>Filed</dt>
      <dd>
        <Time at={goal.createdAt} />
      </dd>
    </dl>
  )
}
