import { Link, type LinkProps } from '@tanstack/react-router'
import { ChevronLeft, ChevronRight } from 'lucide-react'
import { Fragment, type ReactNode, useEffect } from 'react'
import { SidebarToggle } from '../app/shell/sidebar-toggle.tsx'

export interface Crumb {
  label: string
  /** Absent on the last: it is where we are. */
  to?: NonNullable<LinkProps['to']>
  /** A short id before the label. */
  id?: string
}

/** The one line above a view: where we are at its left, what can be done at its right. Names the browser's tab too. */
export function PageHeader(props: { crumbs: readonly Crumb[]; children?: ReactNode }) {
  const last = props.crumbs.at(-1)
  const parent = props.crumbs.at(-2)
  const title = [last?.id, last?.label].filter(Boolean).join(' ')
  useEffect(() => {
    document.title = `${title} · Dispatch`
  }, [title])
  return (
    <header className="flex h-11 shrink-0 items-center gap-2 border-b pr-3 pl-4 max-md:gap-1 max-md:pr-2 max-md:pl-2 touch:h-12">
      <SidebarToggle />
      {parent?.to && (
        <Link
          to={parent.to}
          aria-label={`Back to ${parent.label}`}
          className="flex size-9 items-center justify-center rounded-md text-fg-2 md:hidden"
        >
          <ChevronLeft size={18} aria-hidden="true" />
        </Link>
      )}
      <nav aria-label="Breadcrumb" className="flex min-w-0 flex-1 items-center gap-1.5 text-13">
        {props.crumbs.map((crumb, index) => (
          <Fragment key={crumb.label}>
            {index > 0 && (
              <ChevronRight
                size={13}
                className="shrink-0 text-fg-3 max-md:hidden"
                aria-hidden="true"
              />
            )}
            {crumb.to ? (
              <Link
                to={crumb.to}
                className="shrink-0 rounded-sm text-fg-2 hover:text-fg max-md:hidden"
              >
                {crumb.label}
              </Link>
            ) : (
              <h1 className="min-w-0 truncate font-medium" aria-current="page">
                {crumb.id && <span className="mr-1.5 font-normal text-fg-3">{crumb.id}</span>}
                <bdi>{crumb.label}</bdi>
              </h1>
            )}
          </Fragment>
        ))}
      </nav>
      <div className="flex shrink-0 items-center gap-1.5">{props.children}</div>
    </header>
  )
}
