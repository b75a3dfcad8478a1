import { formatDuration, formatUsedTokens, hasUsed } from '../contracts/figures.ts'
import type { Goal } from '../contracts/schemas.ts'
import { hasWorked, type StageRow, stageRows, workedUntil } from '../contracts/stage-rows.ts'
import { STAGE_TITLES } from '../contracts/stages.ts'
import { look } from './format.ts'
import type { Io, Style } from './io.ts'
import { oneLine, padEnd, truncate } from './terminal-text.ts'

export interface WatchState {
  goal: Goal
  /** Last words of the agent that works now, '' when none does. */
  lastLine: string
  /** Milliseconds since 1970. */
  now: number
}

const UP = (lines: number) => (lines > 0 ? `\u001b[${lines}A` : '')
const CLEAR_BELOW = '\r\u001b[J'
const HIDE_CURSOR = '\u001b[?25l'
const SHOW_CURSOR = '\u001b[?25h'

/** A block of lines that is drawn again in the place of the one before. Every line fits: a wrapped one breaks the count. */
export function createBlock(io: Io) {
  let drawn = 0
  return {
    draw(state: WatchState) {
      const lines = blockLines(state, io).slice(0, io.rows - 1)
      io.draw(`${HIDE_CURSOR}${UP(drawn)}${CLEAR_BELOW}${lines.join('\n')}\n`)
      drawn = lines.length
    },
    /** Takes the picture away, so that lines can be printed above the next one. */
    erase() {
      io.draw(`${UP(drawn)}${CLEAR_BELOW}`)
      drawn = 0
    },
    /** Leaves the last picture standing. */
    end: () => io.draw(SHOW_CURSOR),
  }
}

/** The lines of the picture, none wider than the terminal. */
export function blockLines(
  { goal, lastLine, now }: WatchState,
  io: Pick<Io, 'columns' | 'paint'>,
): string[] {
  const width = io.columns - 1
  const within = (style: Style | undefined, text: string) => {
    const line = truncate(oneLine(text), width)
    return style ? io.paint(style, line) : line
  }
  const { style, word } = look(goal.status)
  const pending = goal.reviews.filter(({ status }) => status === 'pending')
  return [
    within('bold', `${goal.shortId} ${goal.title}`),
    within(
      style,
      `${word}, ${formatDuration(now - Date.parse(goal.createdAt))}, ${formatUsedTokens(goal.usage)} tokens`,
    ),
    ...stageRows(goal).map((row) => stageLine(row, { width, now, paint: io.paint })),
    ...(lastLine ? [within('dim', `» ${lastLine}`)] : []),
    ...(goal.reason ? [within('yellow', goal.reason)] : []),
    ...pending.map((review) =>
      within(
        'yellow',
        `${review.shortId} waits: dispatch approve ${review.shortId}  ${review.title}`,
      ),
    ),
    ...(pending.length > 0
      ? [
          within(
            'dim',
            'Decide it in another terminal: watching goes on. Ctrl-C ends watching alone.',
          ),
        ]
      : []),
    ...(goal.status === 'needs_attention'
      ? [
          within(
            'red',
            `Try again: dispatch goal retry ${goal.shortId}, or dispatch goal cancel ${goal.shortId}`,
          ),
        ]
      : []),
    ...(goal.paused ? [within('yellow', `Go on: dispatch goal resume ${goal.shortId}`)] : []),
  ]
}

/** One stage on one line, not wider than `width`. */
export function stageLine(
  row: StageRow,
  options: { width: number; now: number; paint: Io['paint'] },
): string {
  const { icon, word, style } = look(row.status)
  const facts = [
    hasWorked(row.worked) ? formatDuration(workedUntil(row.worked, options.now)) : '',
    hasUsed(row.used) ? `${formatUsedTokens(row.used)} tokens` : '',
    row.attempt > 1 ? `attempt ${row.attempt}` : '',
    row.tasks ? `${row.tasks.done}/${row.tasks.all} tasks` : '',
    row.adapters.join(', '),
    row.reason ?? '',
  ]
  const rest = oneLine(facts.filter((fact) => fact !== '').join(' · '))
  const line = `${icon} ${padEnd(STAGE_TITLES[row.stage], 14)}${padEnd(word, 10)}${rest}`
  return options.paint(style, truncate(line.trimEnd(), options.width))
}
