import { Bar, BarChart, CartesianGrid, ResponsiveContainer, Tooltip, XAxis, YAxis } from 'recharts'
import { formatTokens } from '../../../../contracts/figures.ts'
import type { LedgerOrder } from '../../../../contracts/ledger.ts'
import { formatCost, formatUsageCost } from '../../lib/format.ts'
import { axisCost, type DayBar, roundTicks } from './ledger-days.ts'

interface Part {
  key: Exclude<keyof DayBar, 'day' | 'usage'>
  name: string
  /** Of the accent, so that one hue says one thing: how much. */
  opacity: number
}

const PARTS: Readonly<Record<LedgerOrder, readonly Part[]>> = {
  tokens: [
    { key: 'output', name: 'Output', opacity: 1 },
    { key: 'input', name: 'Input', opacity: 0.75 },
    { key: 'cacheWrite', name: 'Cache write', opacity: 0.5 },
    { key: 'cacheRead', name: 'Cache read', opacity: 0.35 },
  ],
  cost: [
    { key: 'told', name: 'Reported by the agent', opacity: 1 },
    { key: 'estimated', name: 'Estimated', opacity: 0.6 },
  ],
}

const say: Readonly<Record<LedgerOrder, (value: number) => string>> = {
  tokens: formatTokens,
  cost: (value) => formatCost(value),
}
const dayName = new Intl.DateTimeFormat(undefined, {
  day: 'numeric',
  month: 'short',
  timeZone: 'UTC',
})
const nameOf = (day: string) => dayName.format(Date.parse(day))

/** Tokens or cost of each day, one bar a day. The table says the same in figures. */
export function DaysChart({ bars, show }: { bars: readonly DayBar[]; show: LedgerOrder }) {
  const parts = PARTS[show]
  const ticks = roundTicks(Math.max(...bars.map((bar) => heightOf(bar, show))))
  return (
    <figure className="flex flex-col gap-2">
      <figcaption className="flex flex-wrap gap-x-4 gap-y-1 text-12 text-fg-2">
        {parts.map(({ key, name, opacity }) => (
          <span key={key} className="flex items-center gap-1.5">
            <span
              className="size-2 rounded-[2px] bg-accent"
              style={{ opacity }}
              aria-hidden="true"
            />
            {name}
          </span>
        ))}
      </figcaption>
      <div role="img" aria-label={sentenceOf(bars, show)} className="h-52 max-md:h-40">
        <ResponsiveContainer width="100%" height="100%">
          <BarChart
            data={[...bars]}
            margin={{ top: 4, right: 0, bottom: 0, left: 0 }}
            accessibilityLayer={false}
          >
            <CartesianGrid vertical={false} stroke="var(--line)" />
            <XAxis
              dataKey="day"
              tickFormatter={nameOf}
              tick={TICK}
              tickLine={false}
              axisLine={{ stroke: 'var(--line-strong)' }}
              minTickGap={28}
            />
            <YAxis
              tickFormatter={(value) =>
                show === 'cost' ? axisCost(value, ticks) : say[show](value)
              }
              tick={TICK}
              tickLine={false}
              axisLine={false}
              width={52}
              ticks={ticks}
              domain={[0, ticks.at(-1) ?? 0]}
              interval={0}
            />
            <Tooltip
              cursor={{ fill: 'var(--hover)' }}
              isAnimationActive={false}
              content={({ active, payload }) => {
                const bar = payload?.[0]?.payload as DayBar | undefined
                return active && bar ? <DayNote bar={bar} show={show} /> : null
              }}
            />
            {parts.map(({ key, opacity }) => (
              <Bar
                key={key}
                dataKey={key}
                stackId="day"
                fill="var(--accent)"
                fillOpacity={opacity}
                maxBarSize={28}
                isAnimationActive={false}
              />
            ))}
          </BarChart>
        </ResponsiveContainer>
      </div>
    </figure>
  )
}

const TICK = { fill: 'var(--fg-3)', fontSize: 11 }

function DayNote({ bar, show }: { bar: DayBar; show: LedgerOrder }) {
  return (
    <div className="rounded-md bg-raised px-2.5 py-2 text-12 shadow-overlay">
      <p className="font-medium">{nameOf(bar.day)}</p>
      {bar.usage === undefined ? (
        <p className="text-fg-2">No run</p>
      ) : (
        <dl className="grid grid-cols-[auto_auto] gap-x-4 text-fg-2 [&_dd]:figure [&_dd]:text-right [&_dd]:text-fg">
          {PARTS[show].map(({ key, name }) => (
            <div key={key} className="contents">
              <dt>{name}</dt>
              <dd>{say[show](bar[key])}</dd>
            </div>
          ))}
          <dt>Cost</dt>
          <dd>{formatUsageCost(bar.usage)}</dd>
        </dl>
      )}
    </div>
  )
}

const heightOf = (bar: DayBar, show: LedgerOrder) =>
  PARTS[show].reduce((sum, { key }) => sum + bar[key], 0)

/** The chart in one sentence. */
function sentenceOf(bars: readonly DayBar[], show: LedgerOrder): string {
  const highest = bars.reduce((best, bar) =>
    heightOf(bar, show) > heightOf(best, show) ? bar : best,
  )
  const what = show === 'cost' ? 'Cost' : 'Tokens'
  const top = `${say[show](heightOf(highest, show))} on ${nameOf(highest.day)}`
  const days = `${nameOf(bars[0]?.day ?? '')} to ${nameOf(bars.at(-1)?.day ?? '')}`
  return `${what} a day, ${days}. The most: ${top}.`
}
