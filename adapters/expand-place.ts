import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { NPMRC_PREFIX, type Place } from './places.ts'

export type Env = Readonly<Record<string, string | undefined>>

export interface Ground {
  env: Env
  /** Put before rows that begin at the root; for tests, which build a file system in a folder. */
  root: string
  platform: NodeJS.Platform
}

/** The files that a place may hold of the program, whether they are there or not; a `*` gives one for each that is there. */
export function filesAt(place: Place, name: string, ground: Ground): string[] {
  const { on, only, file } = place
  const elsewhere = on === undefined ? ground.platform === 'win32' : on !== ground.platform
  if (elsewhere || (only !== undefined && only !== name)) return []
  const path = withVariables(place.path, ground)
  if (path === undefined) return []
  const names = on === 'win32' ? [`${name}.exe`, `${name}.cmd`] : [name]
  const patterns = file ? [path.replace('{name}', name)] : names.map((each) => join(path, each))
  const first = place.first && defaultVersion(withVariables(place.first, ground))
  return patterns.flatMap((pattern) => matches(pattern, first || undefined))
}

/** Undefined where a variable is not set. */
function withVariables(path: string, { env, root }: Ground): string | undefined {
  let known = true
  const variable = (name: string) => {
    const value = name === NPMRC_PREFIX ? npmrcPrefix(env) : env[name]
    known &&= value !== undefined && value !== ''
    return value ?? ''
  }
  const home = path.startsWith('~/') ? `$HOME${path.slice(1)}` : path
  const filled = home.replace(/\$(\w+)/g, (_, name: string) => variable(name))
  if (!known) return undefined
  return path.startsWith('/') ? join(root, filled) : filled
}

function npmrcPrefix(env: Env): string | undefined {
  const file = env['NPM_CONFIG_USERCONFIG'] ?? (env['HOME'] && join(env['HOME'], '.npmrc'))
  const line = file && readText(file)?.match(/^\s*prefix\s*=\s*(.+?)\s*$/m)?.[1]
  if (!line) return undefined
  return line
    .replace(/^["']|["']$/g, '')
    .replace(/^~(?=\/)/, env['HOME'] ?? '~')
    .replace(/\$\{(\w+)\}/g, (_, name: string) => env[name] ?? '')
}

/** Paths that match a pattern whose parts may hold `*`: `first` and then the newest version first. */
function matches(pattern: string, first: string | undefined): string[] {
  const star = pattern.indexOf('*')
  if (star === -1) return [pattern]
  const head = dirname(`${pattern.slice(0, star)}x`)
  const [part = '', ...rest] = pattern.slice(head === '/' ? 1 : head.length + 1).split('/')
  const shape = new RegExp(`^${part.split('*').map(escaped).join('.*')}$`)
  const names = namesIn(head).filter((name) => shape.test(name))
  names.sort((a, b) => b.localeCompare(a, 'en', { numeric: true }))
  const preferred = first && names.find((name) => isVersion(name, first))
  const ordered = preferred ? [preferred, ...names.filter((name) => name !== preferred)] : names
  return ordered.flatMap((name) => matches(join(head, name, ...rest), undefined))
}

const escaped = (text: string) => text.replace(/[.+?^${}()|[\]\\]/g, '\\$&')

const isVersion = (name: string, wanted: string) =>
  `${name.replace(/^v/, '')}.`.startsWith(`${wanted.replace(/^v/, '')}.`)

const MAX_ALIASES = 5

/** The version that an alias of nvm's means: an alias may name another one (`default` is `lts/*`, that is `lts/jod`, that is `v22.11.0`). */
function defaultVersion(file: string | undefined): string | undefined {
  let alias = file
  for (let step = 0; alias !== undefined && step < MAX_ALIASES; step += 1) {
    const text = readText(alias)?.trim()
    if (!text || /^v?\d/.test(text)) return text || undefined
    const aliases = file ? dirname(file) : ''
    alias = join(aliases, text)
  }
  return undefined
}

/** Undefined for a file that is not there or not ours to read: then it says nothing. */
function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

/** Empty for a folder that is not there or not ours to look into. */
function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}
