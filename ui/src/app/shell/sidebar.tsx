import { useQuery } from '@tanstack/react-query'
import { Link, type LinkProps } from '@tanstack/react-router'
import {
  Bot,
  ChartNoAxesColumn,
  CircleDot,
  Eye,
  type LucideIcon,
  PanelLeftClose,
  Search,
  Settings,
  SquarePen,
} from 'lucide-react'
import { type ReactNode, Suspense } from 'react'
import type { Overview } from '../../../../contracts/schemas.ts'
import { Count } from '../../components/badge.tsx'
import { IconButton } from '../../components/button.tsx'
import { Kbd } from '../../components/kbd.tsx'
import { Skeleton } from '../../components/states.tsx'
import { lazyPart } from '../../lib/lazy-part.ts'
import { NARROW, useMedia } from '../../lib/use-media.ts'
import { usePreferences } from '../preferences.ts'
import { overviewQuery } from '../queries.ts'
import { closeOverlay, openNewGoal, openOverlay, useUi } from '../ui-state.ts'

const OverMain = lazyPart(async () => (await import('./over-main.tsx')).OverMain)

/** Views and projects; a drawer on a phone. */
export function Sidebar() {
  const narrow = useMedia(NARROW)
  const { sidebarOpen, set } = usePreferences()
  const drawer = useUi((state) => state.overlay === 'drawer')
  if (narrow)
    return (
      <Suspense>
        <OverMain open={drawer} onClose={closeOverlay} title="Navigation" shape="drawer">
          {/* biome-ignore lint/a11y: any link in it is a way out of it */}
          <div className="contents" onClick={closeOverlay}>
            <SidebarContent />
          </div>
        </OverMain>
      </Suspense>
    )
  if (!sidebarOpen) return null
  return (
    <aside aria-label="Sidebar" className="flex w-[220px] shrink-0 flex-col bg-side">
      <SidebarContent
        corner={
          <IconButton
            icon={PanelLeftClose}
            size="sm"
            label="Hide sidebar"
            keys="["
            onClick={() => set({ sidebarOpen: false })}
          />
        }
      />
    </aside>
  )
}

function SidebarContent({ corner }: { corner?: ReactNode }) {
  const { data } = useQuery(overviewQuery())
  return (
    <>
      <div className="flex h-11 shrink-0 items-center gap-2 pr-2 pl-3">
        <Logo />
        <span className="flex-1 text-13 font-semibold tracking-[-0.01em]">Dispatch</span>
        {corner}
      </div>
      <div className="flex gap-1.5 px-2 pb-2">
        <button
          type="button"
          onClick={() => openOverlay('palette')}
          className="flex h-7 min-w-0 flex-1 items-center gap-2 rounded-md border border-line-strong bg-bg px-2 text-fg-3 hover:text-fg-2 touch:h-10"
        >
          <Search size={13} aria-hidden="true" />
          <span className="flex-1 text-left">Search</span>
          <Kbd keys="$mod+k" className="max-md:hidden" />
        </button>
        <IconButton
          icon={SquarePen}
          label="New goal"
          keys="c"
          className="border border-line-strong bg-bg"
          onClick={(event) => {
            event.stopPropagation() // the drawer around it would close what this opens
            openNewGoal()
          }}
        />
      </div>
      <nav aria-label="Views" className="flex flex-col gap-px px-2">
        <NavLink to="/" icon={CircleDot} label="Goals" />
        <NavLink to="/reviews" icon={Eye} label="Reviews">
          <Count value={data?.pendingReviews ?? 0} tone="warn" label="waiting for you" />
        </NavLink>
        <NavLink to="/agents" icon={Bot} label="Agents">
          <Count value={data?.pool.held ?? 0} label="running" />
        </NavLink>
        <NavLink to="/ledger" icon={ChartNoAxesColumn} label="Ledger" />
      </nav>
      <Projects projects={data?.projects} />
      <nav aria-label="More" className="mt-auto flex flex-col gap-px px-2 pb-2">
        <NavLink to="/settings" icon={Settings} label="Settings" />
      </nav>
    </>
  )
}

const ROW =
  'flex h-7 min-w-0 items-center gap-2 rounded-md px-2 text-13 text-fg-2 hover:bg-hover hover:text-fg data-[status=active]:bg-active data-[status=active]:font-medium data-[status=active]:text-fg touch:h-10'

function NavLink(props: {
  to: NonNullable<LinkProps['to']>
  icon: LucideIcon
  label: string
  children?: ReactNode
}) {
  const { icon: Icon } = props
  return (
    <Link
      to={props.to}
      className={ROW}
      activeOptions={{ exact: props.to === '/', includeSearch: props.to === '/' }}
      {...(props.to === '/' ? { search: {} } : {})}
    >
      <Icon size={15} strokeWidth={1.75} className="shrink-0" aria-hidden="true" />
      <span className="flex-1 truncate">{props.label}</span>
      {props.children}
    </Link>
  )
}

function Projects({ projects }: { projects: Overview['projects'] | undefined }) {
  return (
    <nav
      aria-labelledby="projects"
      className="mt-5 flex min-h-0 flex-col gap-px overflow-y-auto px-2"
    >
      <h2 id="projects" className="px-2 pb-1 text-11 font-medium text-fg-3">
        Projects
      </h2>
      {projects === undefined && <Skeleton className="mx-2 my-2 w-24" />}
      {projects?.length === 0 && (
        <Link to="/welcome" className={ROW}>
          Add a project
        </Link>
      )}
      {projects?.map((project) => (
        <Link
          key={project.id}
          to="/"
          search={{ project: project.shortId }}
          activeOptions={{ includeSearch: true }}
          className={ROW}
        >
          <ProjectMark name={project.name} />
          <bdi className="flex-1 truncate">{project.name}</bdi>
          <Count value={project.waiting} tone="warn" label="waiting for you" />
        </Link>
      ))}
    </nav>
  )
}

/** The first letter of a project. */
export function ProjectMark({ name }: { name: string }) {
  return (
    <span
      aria-hidden="true"
      className="flex size-[15px] shrink-0 items-center justify-center rounded-sm bg-active text-[9px] font-semibold text-fg-2 uppercase"
    >
      {[...name][0]}
    </span>
  )
}

function Logo() {
  return (
    <svg viewBox="0 0 16 16" width="18" height="18" aria-hidden="true">
      <rect width="16" height="16" rx="4" fill="var(--accent)" />
      <path
        d="M4 8h3l1.5-3.5M7 8l1.5 3.5M9.5 8H12"
        stroke="var(--on-accent)"
        strokeWidth="1.4"
        fill="none"
        strokeLinecap="round"
      />
    </svg>
  )
}
