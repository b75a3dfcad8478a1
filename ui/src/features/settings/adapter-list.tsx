import { useMutation, useQuery } from '@tanstack/react-query'
import { Check, Copy, RotateCw } from 'lucide-react'
import { useEffect, useState } from 'react'
import type { AdapterInfo } from '../../../../contracts/schemas.ts'
import { call } from '../../app/api.ts'
import { adaptersQuery } from '../../app/queries.ts'
import { toast, toastError } from '../../app/toasts.ts'
import { AdapterMark } from '../../components/adapter-mark.tsx'
import { Badge } from '../../components/badge.tsx'
import { Button, IconButton } from '../../components/button.tsx'
import { Time } from '../../components/figures.tsx'
import { ErrorState, SkeletonRows } from '../../components/states.tsx'
import { splitAdvice } from './adapter-advice.ts'

/** A worker looks in a second; without an answer by then there is none. */
const PATIENCE_MS = 20_000

/** The agents of the machine: found, missing or not logged in, each with the command that mends it. */
export function AdapterList() {
  const { data, error, refetch } = useQuery(adaptersQuery())
  const scan = useScan(data?.items)
  if (error && !data) return <ErrorState error={error} onRetry={() => void refetch()} />
  if (!data) return <SkeletonRows rows={3} label="Looking for agents" />
  const looked = data.items
    .map(({ detectedAt }) => detectedAt)
    .sort()
    .at(-1)
  return (
    <div>
      <ul>
        {data.items.map((adapter) => (
          <AdapterRow key={adapter.adapter} adapter={adapter} />
        ))}
      </ul>
      <div className="flex items-center gap-3 px-4 py-3 text-12 text-fg-3">
        <Button size="sm" icon={RotateCw} busy={scan.busy} onClick={scan.start}>
          {scan.busy ? 'Looking…' : 'Scan again'}
        </Button>
        {looked ? (
          <span>
            Looked <Time at={looked} />
          </span>
        ) : (
          <span>No worker has looked yet. It does when it starts.</span>
        )}
      </div>
    </div>
  )
}

function useScan(items: readonly AdapterInfo[] | undefined) {
  const [asked, setAsked] = useState<string>()
  const latest =
    items
      ?.map(({ detectedAt }) => detectedAt)
      .sort()
      .at(-1) ?? ''
  const ask = useMutation({
    mutationFn: () => call('scanAdapters', { body: {} }),
    onMutate: () => setAsked(latest),
    onError: (error) => {
      setAsked(undefined)
      toastError('Scan failed', error)
    },
  })
  const busy = asked !== undefined && asked === latest
  useEffect(() => {
    if (!busy) return setAsked(undefined)
    const timer = setTimeout(() => {
      setAsked(undefined)
      toast('No worker answered', {
        tone: 'danger',
        detail: 'The worker looks for agents. See whether one runs: dispatch doctor',
      })
    }, PATIENCE_MS)
    return () => clearTimeout(timer)
  }, [busy])
  return { busy, start: () => ask.mutate() }
}

const STATES = {
  missing: { word: 'Not found', tone: 'neutral' },
  needed: { word: 'Needs login', tone: 'warn' },
  ready: { word: 'Ready', tone: 'ok' },
  unknown: { word: 'Found', tone: 'ok' },
} as const

function AdapterRow({ adapter }: { adapter: AdapterInfo }) {
  const state = STATES[adapter.found ? adapter.login : 'missing']
  return (
    <li className="border-b border-line/60 px-4 py-3">
      <div className="flex min-w-0 flex-wrap items-center gap-x-3 gap-y-1">
        <AdapterMark adapter={adapter.adapter} className="font-medium" />
        <Badge tone={state.tone}>{state.word}</Badge>
        {adapter.demo && <Badge tone="outline">plays, does not think</Badge>}
        <span className="min-w-0 flex-1 truncate text-12 text-fg-3" title={whereFrom(adapter)}>
          {[adapter.version, adapter.binary].filter(Boolean).join('  ')}
        </span>
      </div>
      {adapter.found && adapter.capabilities.length > 0 && (
        <p className="mt-1 text-12 text-fg-3">
          {adapter.capabilities.map((each) => CAN[each]).join(' · ')}
        </p>
      )}
      {adapter.advice && <Advice text={adapter.advice} />}
      {adapter.others.length > 0 && <OtherCopies others={adapter.others} />}
    </li>
  )
}

const CAN: Record<AdapterInfo['capabilities'][number], string> = {
  streams: 'shows text while it works',
  corrections: 'takes corrections',
  resumes: 'resumes',
  structured: 'structured answers',
  cost: 'tells its cost',
  read_only: 'can be kept read-only',
}

/** What the path leads to, who put it there and whose it is. */
function whereFrom({ binary, realpath, place, owner }: AdapterInfo): string {
  const link = realpath && realpath !== binary ? `${binary} → ${realpath}` : binary
  const from = place ? `from ${place}` : ''
  return [link, from, owner ? `owned by ${owner}` : ''].filter(Boolean).join(', ')
}

/** Copies of the program that are not started, each with the reason. */
function OtherCopies({ others }: Pick<AdapterInfo, 'others'>) {
  return (
    <details className="mt-1.5 text-12 text-fg-2">
      <summary className="cursor-pointer text-fg-3 hover:text-fg">
        {others.length === 1 ? 'One other copy' : `${others.length} other copies`}
      </summary>
      <ul className="mt-1 flex flex-col gap-1">
        {others.map(({ path, version, place, why }) => (
          <li key={path} className="min-w-0 break-words">
            <code className="font-mono">{path}</code>{' '}
            <span className="text-fg-3">
              {[version, place].filter(Boolean).join(', ')}: {why}
            </span>
          </li>
        ))}
      </ul>
    </details>
  )
}

/** `Install it: npm install -g …`: the words, and the command to copy. */
function Advice({ text }: { text: string }) {
  const { words, command } = splitAdvice(text)
  return (
    <div className="mt-1.5 flex flex-col gap-1.5 text-12 text-fg-2">
      <p>{words}</p>
      {command && <Command text={command} />}
    </div>
  )
}

function Command({ text }: { text: string }) {
  const [copied, setCopied] = useState(false)
  const copy = async () => {
    await navigator.clipboard.writeText(text)
    setCopied(true)
    setTimeout(() => setCopied(false), 1_500)
  }
  return (
    <div className="flex max-w-full items-center gap-1 self-start rounded-md border bg-sunken py-0.5 pr-1 pl-3">
      <code className="min-w-0 font-mono text-12 break-words text-fg">{text}</code>
      <IconButton
        icon={copied ? Check : Copy}
        size="sm"
        label={copied ? 'Copied' : 'Copy command'}
        onClick={() => void copy()}
      />
    </div>
  )
}
