import { type ComponentType, useState } from 'react'
import { formatDuration, formatTokens } from '../../../../contracts/figures.ts'
import type { Settings } from '../../../../contracts/schemas.ts'
import { type Theme, usePreferences } from '../../app/preferences.ts'
import { ConfirmDialog } from '../../components/confirm-dialog.tsx'
import { Select } from '../../components/select.tsx'
import { Switch } from '../../components/switch.tsx'
import { plural } from '../../lib/format.ts'
import { ProgramPathRow } from './program-path-row.tsx'
import type { SectionKey } from './sections.ts'
import { SettingRow } from './setting-row.tsx'
import { useSetting } from './use-setting.ts'
import { ValueInput } from './value-input.tsx'

export interface SettingItem {
  id: string
  section: SectionKey
  title: string
  detail: string
  /** More words that find it. */
  keywords: string
  Row: ComponentType<{ item: SettingItem }>
}

type Numbers = {
  [K in keyof Settings]: Settings[K] extends number ? K : never
}[keyof Settings]

interface NumberKind {
  key: Numbers
  /** What a value means, beside it. */
  say: (value: number) => string
}

const NUMBERS: Readonly<Record<string, NumberKind>> = {
  'verify-rounds': {
    key: 'maxVerifyRounds',
    say: (n) => (n === 1 ? 'once' : n === 2 ? 'twice' : `${n} times`),
  },
  'token-budget': {
    key: 'tokenBudget',
    say: (n) => (n === 0 ? 'no limit' : `${formatTokens(n)} tokens`),
  },
  'goal-budget': {
    key: 'goalBudget',
    say: (n) => (n === 0 ? 'no limit' : `${formatTokens(n)} tokens`),
  },
  'day-budget': {
    key: 'dayBudget',
    say: (n) => (n === 0 ? 'no limit' : `${formatTokens(n)} tokens`),
  },
  'max-concurrent': { key: 'maxConcurrent', say: (n) => plural(n, 'agent') },
  'max-per-goal': { key: 'maxPerGoal', say: (n) => plural(n, 'agent') },
  silence: { key: 'agentSilenceSeconds', say: (n) => formatDuration(n * 1000) },
}

/** A number of the server's. */
function NumberRow({ item }: { item: SettingItem }) {
  const kind = NUMBERS[item.id]
  if (!kind) throw new Error(`no number is called ${item.id}`)
  const setting = useSetting(kind.key)
  const [refused, setRefused] = useState<string>()
  const { value, initial } = setting
  const set = (text: string) => {
    const number = Number(text.replaceAll(/[\s_,]/g, ''))
    const whole = text !== '' && Number.isInteger(number)
    setRefused(whole ? undefined : `“${text}” is not a whole number.`)
    if (whole) setting.set(number)
  }
  const reset = () => {
    setRefused(undefined)
    setting.set(initial)
  }
  const error = refused ?? setting.error
  return (
    <SettingRow
      {...item}
      save={setting.save}
      error={error}
      reset={setting.isChanged ? { from: kind.say(initial), run: reset } : undefined}
    >
      {value !== undefined && <span className="figure text-12 text-fg-3">{kind.say(value)}</span>}
      <ValueInput
        id={item.id}
        kind="number"
        value={value === undefined ? undefined : String(value)}
        invalid={error !== undefined}
        onSave={set}
      />
    </SettingRow>
  )
}

function NameRow({ item }: { item: SettingItem }) {
  const { value, save, error, set } = useSetting('displayName')
  return (
    <SettingRow {...item} save={save} error={error}>
      <ValueInput
        id={item.id}
        value={value}
        placeholder="The server’s user"
        onSave={set}
        className="w-56 max-md:w-full"
      />
    </SettingRow>
  )
}

function SpecReviewRow({ item }: { item: SettingItem }) {
  const { value, save, error, set } = useSetting('skipSpecReview')
  const [confirming, setConfirming] = useState(false)
  return (
    <SettingRow
      {...item}
      save={save}
      error={error}
      reset={value ? { from: 'on', run: () => set(false) } : undefined}
    >
      <Switch
        id={item.id}
        checked={value === false}
        disabled={value === undefined}
        onChange={(on) => (on ? set(false) : setConfirming(true))}
      />
      <ConfirmDialog
        open={confirming}
        title="Skip the review of specs?"
        detail="New goals go from their spec straight to code, without asking you. A misread goal is then found late, when tokens were spent on it. Tasks and merges are still reviewed."
        confirm="Skip it"
        dismiss="Keep reviewing"
        onConfirm={() => set(true)}
        onClose={() => setConfirming(false)}
      />
    </SettingRow>
  )
}

function AutoModelRow({ item }: { item: SettingItem }) {
  const { value, save, error, set } = useSetting('autoModel')
  return (
    <SettingRow
      {...item}
      save={save}
      error={error}
      reset={value === false ? { from: 'off', run: () => set(true) } : undefined}
    >
      <Switch id={item.id} checked={value === true} disabled={value === undefined} onChange={set} />
    </SettingRow>
  )
}

function WaitRow({ item }: { item: SettingItem }) {
  const { value, save, error, set } = useSetting('waitOnLimits')
  return (
    <SettingRow
      {...item}
      save={save}
      error={error}
      reset={value === false ? { from: 'on', run: () => set(true) } : undefined}
    >
      <Switch id={item.id} checked={value === true} disabled={value === undefined} onChange={set} />
    </SettingRow>
  )
}

const THEMES = [
  { value: 'system', label: 'As the system' },
  { value: 'light', label: 'Light' },
  { value: 'dark', label: 'Dark' },
]

function ThemeRow({ item }: { item: SettingItem }) {
  const { theme, set } = usePreferences()
  return (
    <SettingRow {...item}>
      <Select
        id={item.id}
        label="Theme"
        value={theme}
        onChange={(value) => set({ theme: value as Theme })}
        options={THEMES}
      />
    </SettingRow>
  )
}

function LetterKeysRow({ item }: { item: SettingItem }) {
  const { letterKeys, set } = usePreferences()
  return (
    <SettingRow
      {...item}
      reset={letterKeys ? undefined : { from: 'on', run: () => set({ letterKeys: true }) }}
    >
      <Switch id={item.id} checked={letterKeys} onChange={(on) => set({ letterKeys: on })} />
    </SettingRow>
  )
}

/** Settings with one control each; sections with lists have pages of their own. */
export const SETTING_ITEMS: readonly SettingItem[] = [
  {
    ...{ id: 'display-name', section: 'general', title: 'Your name', Row: NameRow },
    detail: 'Reviews, merges and the feed say with it who decided and who paused.',
    keywords: 'display user person',
  },
  {
    ...{ id: 'theme', section: 'general', title: 'Theme', Row: ThemeRow },
    detail: 'In this browser.',
    keywords: 'dark light colour appearance',
  },
  {
    ...{ id: 'letter-keys', section: 'general', title: 'Single-letter keys', Row: LetterKeysRow },
    detail:
      'Act on single letters and signs such as C, J or /. Enter, Escape, arrows and keys with Ctrl or ⌘ always work.',
    keywords: 'keyboard shortcuts',
  },
  {
    ...{ id: 'claude-path', section: 'agents', title: 'Program of Claude Code' },
    detail: 'Its absolute path. Empty: the first one found on this machine.',
    keywords: 'binary executable custom path claude',
    Row: ProgramPathRow,
  },
  {
    ...{ id: 'codex-path', section: 'agents', title: 'Program of Codex' },
    detail: 'Its absolute path. Empty: the first one found on this machine.',
    keywords: 'binary executable custom path codex',
    Row: ProgramPathRow,
  },
  {
    ...{ id: 'gemini-path', section: 'agents', title: 'Program of Gemini CLI' },
    detail: 'Its absolute path. Empty: the first one found on this machine.',
    keywords: 'binary executable custom path gemini',
    Row: ProgramPathRow,
  },
  {
    ...{ id: 'spec-review', section: 'goals', title: 'Review every spec', Row: SpecReviewRow },
    detail: 'A goal waits after its spec until you approve it.',
    keywords: 'skip approve',
  },
  {
    ...{ id: 'auto-model', section: 'goals', title: 'Auto Model', Row: AutoModelRow },
    detail:
      'Where a profile says Auto, Dispatch picks the agent that fits the goal and is there, and says why.',
    keywords: 'routing choose agent model automatic',
  },
  {
    ...{ id: 'verify-rounds', section: 'goals', title: 'Verify rounds' },
    detail:
      'How often a task goes back to its agent with what verification found, before you are asked.',
    keywords: 'retry attempts findings',
    Row: NumberRow,
  },
  {
    ...{ id: 'token-budget', section: 'goals', title: 'Token budget of a task' },
    detail: 'An agent that reaches it is stopped and you are asked. 0 sets no limit.',
    keywords: 'cost limit spend',
    Row: NumberRow,
  },
  {
    ...{ id: 'goal-budget', section: 'goals', title: 'Token budget of a goal' },
    detail:
      'All its stages and tasks together. At the end of it you are asked once, and the rest waits. 0 sets no limit.',
    keywords: 'cost limit spend',
    Row: NumberRow,
  },
  {
    ...{ id: 'day-budget', section: 'goals', title: 'Token budget of a day' },
    detail:
      'Of all goals. At the end of it runs wait for the next day, in the server’s time zone, or until you raise it. 0 sets no limit.',
    keywords: 'cost limit spend daily',
    Row: NumberRow,
  },
  {
    ...{ id: 'max-concurrent', section: 'pool', title: 'Agents at once' },
    detail: 'Of all goals together. More wait in line.',
    keywords: 'concurrent parallel limit',
    Row: NumberRow,
  },
  {
    ...{ id: 'max-per-goal', section: 'pool', title: 'Agents at once, of one goal' },
    detail: 'So that one goal does not take every place.',
    keywords: 'concurrent parallel limit',
    Row: NumberRow,
  },
  {
    ...{ id: 'wait-on-limits', section: 'goals', title: 'Wait for limits', Row: WaitRow },
    detail:
      'When a provider limits an agent and nobody takes over, the work waits until the time that it names. Off: you are asked at once.',
    keywords: 'rate limit quota usage park resume',
  },
  {
    ...{ id: 'silence', section: 'pool', title: 'Longest silence' },
    detail:
      'Seconds without a word or work after which an agent counts as hung and is started again.',
    keywords: 'hung timeout seconds',
    Row: NumberRow,
  },
]
