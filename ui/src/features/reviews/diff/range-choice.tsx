import { ChevronDown } from 'lucide-react'
import { Button } from '../../../components/button.tsx'
import { Menu, MenuItem } from '../../../components/menu.tsx'
import { formatFull } from '../../../lib/format.ts'
import type { ReviewFiles } from './use-review-files.ts'

/** Which changes are shown: all, or those since the attempt that was judged before. Only words where there is no choice. */
export function RangeChoice({ files }: { files: ReviewFiles }) {
  const { previous, against, choose } = files
  if (!previous) return <span className="px-2 text-12 text-fg-2">All changes</span>
  const since = `Changes since attempt ${previous.attempt}`
  return (
    <>
      <Menu
        align="start"
        trigger={
          <Button tone="ghost" size="sm">
            {against === 'previous' ? since : 'All changes'}
            <ChevronDown size={12} aria-hidden="true" />
          </Button>
        }
      >
        <MenuItem checked={against === 'previous'} onSelect={() => choose({ against: 'previous' })}>
          {since}
        </MenuItem>
        <MenuItem checked={against === 'base'} onSelect={() => choose({ against: 'base' })}>
          All changes
        </MenuItem>
      </Menu>
      {against === 'previous' && (
        <span className="min-w-0 truncate text-12 text-fg-3 max-md:hidden">
          {previous.rebased
            ? 'It stands on another base now, so others’ changes are among these.'
            : previous.decidedAt && `Judged ${formatFull(previous.decidedAt)}`}
        </span>
      )}
    </>
  )
}
