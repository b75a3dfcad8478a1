import { Link } from '@tanstack/react-router'
import { GitBranch, ShieldAlert, Split } from 'lucide-react'
import type { ReactNode } from 'react'
import type { Review } from '../../../../contracts/schemas.ts'
import { Badge } from '../../components/badge.tsx'
import { Time } from '../../components/figures.tsx'
import { Markdown } from '../../components/markdown.tsx'
import { plural } from '../../lib/format.ts'
import { Deviations } from './deviations.tsx'
import { Lines } from './diff/file-header.tsx'
import { showName } from './diff/hidden-characters.ts'
import { Findings } from './evidence/findings.tsx'
import { Risk } from './review-header.tsx'

/** What the agent says it did, what differs from the plan, what is risky: enough to know where to look. */
export function ReviewSummaryPane(props: { review: Review; onGo: (file: string) => void }) {
  const { review } = props
  const risky = review.files.filter(({ risk }) => risk === 'high')
  return (
    <div className="h-full overflow-y-auto">
      <div className="mx-auto flex max-w-[880px] flex-col gap-7 px-6 py-6 max-md:px-4">
        <Facts review={review} />
        {review.summary && (
          <Section title="Summary">
            <Markdown text={review.summary} />
          </Section>
        )}
        {review.deviations.length > 0 && (
          <Section
            title="Differs from the spec"
            count={review.deviations.length}
            icon={<Split size={14} />}
          >
            <Deviations texts={review.deviations} />
          </Section>
        )}
        {review.findings.length > 0 && (
          <Section title="Audit findings" count={review.findings.length}>
            <Findings findings={review.findings} onGo={props.onGo} />
          </Section>
        )}
        {risky.length > 0 && (
          <Section title="Files of high risk" count={risky.length} icon={<ShieldAlert size={14} />}>
            <ul className="overflow-hidden rounded-md border">
              {risky.map((file) => (
                <li key={file.path} className="border-b last:border-b-0">
                  <button
                    type="button"
                    onClick={() => props.onGo(file.path)}
                    className="flex w-full min-w-0 flex-wrap items-center gap-x-3 px-3 py-1.5 text-left hover:bg-hover"
                  >
                    <bdi className="min-w-0 truncate font-mono text-12">{showName(file.path)}</bdi>
                    <span className="min-w-0 flex-1 text-12 text-warn">
                      {file.notes.join('; ')}
                    </span>
                    <Lines additions={file.additions} deletions={file.deletions} />
                  </button>
                </li>
              ))}
            </ul>
          </Section>
        )}
      </div>
    </div>
  )
}

function Facts({ review }: { review: Review }) {
  const { size } = review
  return (
    <div className="flex flex-col gap-3">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1.5 text-12 text-fg-2">
        <Risk risk={review.risk} />
        <span>
          Asked <Time at={review.createdAt} />
        </span>
        <span>{review.projectName}</span>
        <Link to="/goals/$id" params={{ id: review.goalShortId }} className="hover:text-fg">
          {review.goalShortId} <bdi>{review.goalTitle}</bdi>
        </Link>
        {size.files > 0 && (
          <span className="flex items-center gap-1.5">
            {plural(size.files, 'file')} <Lines {...size} />
          </span>
        )}
        {review.head && (
          <span className="flex items-center gap-1 font-mono">
            <GitBranch size={12} aria-hidden="true" />
            {review.head.slice(0, 8)}
          </span>
        )}
        {review.attempt > 1 && <Badge>Attempt {review.attempt}</Badge>}
      </div>
      <p className="max-w-[72ch]">
        <span className="text-fg-3">Why you are asked: </span>
        {review.reason}.
      </p>
    </div>
  )
}

function Section(props: { title: string; count?: number; icon?: ReactNode; children: ReactNode }) {
  return (
    <section>
      <h2 className="mb-2 flex items-center gap-1.5 text-13 font-medium">
        {props.icon && <span className="text-fg-3">{props.icon}</span>}
        {props.title}
        {props.count !== undefined && <span className="font-normal text-fg-3">{props.count}</span>}
      </h2>
      {props.children}
    </section>
  )
}
