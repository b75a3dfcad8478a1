import type { HomePaths } from '../config/home.ts'
import type { Body, Params, Query, Reply } from '../contracts/api.ts'
import type { RouteName } from '../contracts/routes.ts'
import type { Io } from './io.ts'

export interface OptionSpec {
  type: 'string' | 'boolean'
  help: string
  short?: string
  /** Name of the value in the help, such as `n`. */
  value?: string
  choices?: readonly string[]
  /** An empty value is one too: it takes away what was there. */
  mayBeEmpty?: true
  /** Of a switch: what may be said besides, by `=`. */
  mayHave?: string
}

/** Which ids the shell offers for an argument. */
export type Completable = 'goal' | 'review' | 'run'

export interface ArgumentSpec {
  help: string
  required?: true
  choices?: readonly string[]
  complete?: Completable
  /** As for an option. */
  mayBeEmpty?: true
}

type OptionValues<O> = {
  [K in keyof O]: O[K] extends { type: 'boolean' } ? boolean : string | undefined
}
type ArgumentValues<A> = {
  [K in keyof A]: A[K] extends { required: true } ? string : string | undefined
}

export const GLOBAL_OPTIONS = {
  json: {
    type: 'boolean',
    mayHave: 'fields',
    help: 'print one JSON document (one a line when following)',
  },
  'no-input': { type: 'boolean', help: 'never ask' },
  home: { type: 'string', value: 'dir', help: 'home of Dispatch (DISPATCH_HOME, ~/.dispatch)' },
  url: { type: 'string', value: 'url', help: 'address of the server (DISPATCH_URL)' },
  help: { type: 'boolean', short: 'h', help: 'show help' },
  version: { type: 'boolean', short: 'V', help: 'show the version' },
} as const satisfies Record<string, OptionSpec>

export type GlobalValues = OptionValues<typeof GLOBAL_OPTIONS>
export type Values = Record<string, string | boolean | undefined>

/** A live message: an event of a goal's stream or an entry of a run's transcript. */
export interface LiveItem {
  seq: number
  [key: string]: unknown
}

export interface CallInput<N extends RouteName> {
  params?: Params<N>
  query?: Query<N>
  body?: Body<N>
}

export interface CallWait {
  /** Longest wait for the answer, where the usual one is too long. */
  seconds: number
}

/** What commands work with. `call` and `subscribe` look for the server when they are first used; what `call` makes is made once. */
export interface Deps {
  call<N extends RouteName>(name: N, input?: CallInput<N>, wait?: CallWait): Promise<Reply<N>>
  /** Items after `after`, in order, without a gap, across reconnects; ends when `signal` aborts. */
  subscribe(
    stream: string,
    options: { after: number; signal: AbortSignal },
  ): AsyncIterable<LiveItem>
  serverUrl(): string
  home(): HomePaths
  env: Record<string, string | undefined>
  /** Undefined when that folder is gone. */
  cwd: string | undefined
  /** Aborts on Ctrl-C. */
  signal: AbortSignal
}

export interface Command {
  /** Its words: `goal show`. */
  name: string
  summary: string
  args: Readonly<Record<string, ArgumentSpec>>
  options: Readonly<Record<string, OptionSpec>>
  /** What it prints with --json: replies of these routes, and fields of its own. */
  prints?: { replies?: readonly RouteName[]; fields?: readonly string[] }
  /** What to do about more arguments than it takes, where that is not quotes. */
  surplus?: string
  /** Command lines that work as they stand. */
  examples: readonly string[]
  /** It works on the home on this machine: a server that `--url` names is not its business. */
  onHome?: true
  /** It brings a home and a server of its own: neither `--home` nor `--url` is its business. */
  bringsOwn?: true
  /** Ends by itself after Ctrl-C; others are ended. */
  handlesInterrupt?: true
  /**
   * Goes on when nobody reads its output any more, because it does what it is for after it has printed, or also when its output
   * cannot be written at all, because what it is for is not its output; others are ended.
   */
  goesOnWithout?: 'reader' | 'output'
  run(values: Values, deps: Deps, io: Io): Promise<number>
}

/** The options that every command has, as far as this one takes them. */
export function globalOptions({
  onHome,
  bringsOwn,
}: Command): Readonly<Record<string, OptionSpec>> {
  const { home, url, ...others } = GLOBAL_OPTIONS
  if (bringsOwn) return others
  return onHome ? { ...others, home } : { ...others, home, url }
}

/** Declares a command; the types of its values come from its arguments and options. */
export function defineCommand<
  const A extends Record<string, ArgumentSpec>,
  const O extends Record<string, OptionSpec>,
>(
  spec: Omit<Command, 'args' | 'options' | 'run'> & {
    args: A
    options: O
    run(
      values: ArgumentValues<A> & OptionValues<O> & GlobalValues,
      deps: Deps,
      io: Io,
    ): Promise<number>
  },
): Command {
  return spec as unknown as Command
}

export const PAGE_OPTIONS = {
  limit: { type: 'string', value: 'n', help: 'at most this many, 1 to 200 (50)' },
  cursor: { type: 'string', value: 'cursor', help: 'go on where the page before ended' },
} as const satisfies Record<string, OptionSpec>
