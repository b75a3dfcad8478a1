import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { filesAt } from './expand-place.ts'
import { chooseProgram, type ProgramSearch, pathWith } from './find-program.ts'
import { PLACES, type Place } from './places.ts'

let root: string
let home: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'dispatch-places-'))
  home = join(root, 'home', 'me')
  mkdirSync(home, { recursive: true })
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

const VARIABLES = [...new Set(PLACES.flatMap(({ path }) => path.match(/\$\w+/g) ?? []))]
  .map((name) => name.slice(1))
  .filter((name) => name !== 'NPMRC_PREFIX')

/** Every variable that an installer sets, each with a folder of its own. */
const everyVariable = () =>
  Object.fromEntries(VARIABLES.map((name) => [name, join(root, 'set', name)]))

function search(more: Partial<ProgramSearch> & { variables?: Record<string, string> } = {}) {
  const { variables = {}, ...rest } = more
  const platform: NodeJS.Platform = 'linux'
  return { env: { HOME: home, ...variables }, ground: { root, platform }, ...rest }
}

function write(file: string, content = '#!/bin/sh\n'): string {
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, content)
  chmodSync(file, 0o755)
  return file
}

/** Puts the program where the row says, with a version in place of each `*`. */
function install(place: Place, name: string, version = 'v1.0.0'): string {
  const { on, path, file } = place
  const variables: Record<string, string> = { ...everyVariable(), USER: 'me', HOME: home }
  writeFileSync(join(home, '.npmrc'), `prefix=${join(root, 'set', 'npmrc')}\n`)
  variables['NPMRC_PREFIX'] = join(root, 'set', 'npmrc')
  const filled = path
    .replace(/^~/, '$HOME')
    .replace(/\$(\w+)/g, (_, variable: string) => variables[variable] ?? variable)
    .replaceAll('*', version)
    .replace('{name}', name)
  const at = path.startsWith('/') ? join(root, filled) : filled
  return write(file ? at : join(at, on === 'win32' ? `${name}.exe` : name))
}

describe('places', () => {
  test('each of more than 40 places is looked at, and what is there is found', () => {
    const variables = { ...everyVariable(), USER: 'me' }
    const missed: string[] = []
    for (const place of PLACES) {
      const name = place.only ?? 'codex'
      const file = install(place, name)
      const platform = place.on ?? 'linux'
      const found = chooseProgram(name, search({ variables, ground: { root, platform } }))
      if (found.chosen?.path !== file || found.chosen.place !== place.by) missed.push(place.path)
      rmSync(file)
    }
    expect(missed).toEqual([])
    expect(new Set(PLACES.map(({ path }) => path)).size).toBe(PLACES.length)
    expect(PLACES.length).toBeGreaterThan(40)
  })

  test('all of them at once: the order is that of the table, with the PATH before it', () => {
    const variables = { ...everyVariable(), USER: 'me' }
    const here = PLACES.filter(({ on, only }) => on === undefined && only !== 'claude')
    const files = here.map((place) => install(place, 'codex'))
    const onPath = write(join(root, 'anywhere', 'codex'))
    const PATH = `${join(root, 'nothing')}:${join(root, 'anywhere')}`
    const { chosen, others } = chooseProgram('codex', search({ variables: { ...variables, PATH } }))
    expect(chosen).toMatchObject({ path: onPath, place: 'PATH' })
    expect(others.map(({ path }) => path)).toEqual(files)
    expect(others.length).toBeGreaterThan(40)
  })

  test('a place of another system or of another program is not looked at', () => {
    const ground = { env: { HOME: home, APPDATA: root }, root, platform: 'linux' as const }
    const windows: Place = { by: 'npm', path: '$APPDATA/npm', on: 'win32' }
    expect(filesAt(windows, 'codex', ground)).toEqual([])
    expect(filesAt(windows, 'codex', { ...ground, platform: 'win32' })).toHaveLength(2)
    expect(filesAt({ by: 'x', path: '/x', only: 'claude' }, 'codex', ground)).toEqual([])
    expect(filesAt({ by: 'x', path: '$NOT_SET/bin' }, 'codex', ground)).toEqual([])
  })

  test("nvm's default version comes first, whatever alias names it, and then the newest", () => {
    const nvm = join(home, '.nvm')
    for (const version of ['v9.1.0', 'v20.1.0', 'v20.11.0', 'v22.3.0'])
      write(join(nvm, 'versions', 'node', version, 'bin', 'claude'))
    const versions = () => {
      const { chosen, others } = chooseProgram('claude', search())
      return [chosen, ...others].map((each) => /v\d+\.\d+/.exec(each?.path ?? '')?.[0])
    }
    expect(versions()).toEqual(['v22.3', 'v20.11', 'v20.1', 'v9.1'])
    mkdirSync(join(nvm, 'alias', 'lts'), { recursive: true })
    writeFileSync(join(nvm, 'alias', 'default'), 'lts/*\n')
    writeFileSync(join(nvm, 'alias', 'lts', '*'), 'lts/iron\n')
    writeFileSync(join(nvm, 'alias', 'lts', 'iron'), 'v20.1.0\n')
    expect(versions()).toEqual(['v20.1', 'v22.3', 'v20.11', 'v9.1'])
    writeFileSync(join(nvm, 'alias', 'default'), '20\n')
    expect(versions()[0]).toBe('v20.11')
    writeFileSync(join(nvm, 'alias', 'default'), 'default\n') // a loop ends
    expect(versions()[0]).toBe('v22.3')
  })

  test("npm's prefix is read from .npmrc, with the home in it however it is written", () => {
    const file = write(join(home, 'mine', 'bin', 'gemini'))
    for (const line of ['prefix=~/mine', 'prefix = "${HOME}/mine"', `prefix=${home}/mine`]) {
      writeFileSync(join(home, '.npmrc'), `registry=http://localhost\n${line}\n`)
      expect(chooseProgram('gemini', search()).chosen?.path).toBe(file)
    }
  })

  test('a copy that several places lead to is named once', () => {
    const real = write(join(home, 'lib', 'claude'))
    for (const folder of ['.local/bin', 'bin']) {
      mkdirSync(join(home, folder), { recursive: true })
      symlinkSync(real, join(home, folder, 'claude'))
    }
    const { chosen, others } = chooseProgram('claude', search())
    expect(chosen).toMatchObject({ path: join(home, '.local/bin/claude'), realpath: real })
    expect(others).toEqual([])
  })

  test('a folder of the PATH that depends on where one stands is passed over', () => {
    const PATH = `.:node_modules/.bin:${join(root, 'bin')}`
    const file = write(join(root, 'bin', 'claude'))
    expect(chooseProgram('claude', search({ variables: { PATH } })).chosen?.path).toBe(file)
  })
})

describe('trust', () => {
  const onPath = (...folders: string[]) =>
    search({ variables: { PATH: folders.map((folder) => join(root, folder)).join(':') } })

  test('a program inside a project is not chosen, nor one that a link leads into a project', () => {
    const project = join(root, 'project')
    const inside = write(join(project, 'node_modules', '.bin', 'claude'))
    mkdirSync(join(root, 'links'))
    symlinkSync(inside, join(root, 'links', 'claude'))
    const own = write(join(home, '.local/bin', 'claude'))
    const { chosen, others } = chooseProgram('claude', {
      ...onPath('project/node_modules/.bin', 'links'),
      projects: [project],
    })
    expect(chosen?.path).toBe(own)
    expect(others.map(({ unsafe }) => unsafe)).toEqual([
      `it is inside ${project}, where agents work`,
    ])
    const beside = chooseProgram('claude', {
      ...onPath('project/node_modules/.bin'),
      projects: [join(root, 'proj')],
    })
    expect(beside.chosen?.path).toBe(inside)
  })

  test('what everybody may write is not chosen: the file, its folder, a folder above, a link’s folder', () => {
    const file = write(join(root, 'a', 'bin', 'claude'))
    const say = () => chooseProgram('claude', onPath('a/bin')).problem
    chmodSync(file, 0o777)
    expect(say()).toBe(`${file} is not started: ${file} may be written by everybody (chmod o-w)`)
    chmodSync(file, 0o755)
    chmodSync(join(root, 'a', 'bin'), 0o1777)
    expect(say()).toContain(`${join(root, 'a', 'bin')} may be written by everybody`)
    chmodSync(join(root, 'a', 'bin'), 0o755)
    chmodSync(join(root, 'a'), 0o777)
    expect(say()).toContain(`${join(root, 'a')} may be written by everybody`)
    chmodSync(join(root, 'a'), 0o755)
    expect(say()).toBeUndefined()
    mkdirSync(join(root, 'open'))
    chmodSync(join(root, 'open'), 0o777)
    symlinkSync(file, join(root, 'open', 'claude'))
    const { chosen } = chooseProgram('claude', onPath('open', 'a/bin'))
    expect(chosen?.path).toBe(file)
  })

  test.runIf(process.getuid?.() === 0)("another user's program is not chosen", async () => {
    const { chownSync } = await import('node:fs')
    const file = write(join(root, 'a', 'bin', 'claude'))
    chownSync(file, 4711, 4711)
    expect(chooseProgram('claude', onPath('a/bin')).problem).toBe(
      `${file} is not started: ${file} belongs to another user (uid 4711)`,
    )
  })

  test("the person's own choice is looked at alone, and a wrong one says so", () => {
    const own = write(join(home, '.local/bin', 'claude'))
    const set = write(join(root, 'mine', 'claude-next'))
    expect(chooseProgram('claude', search({ path: set }))).toMatchObject({
      chosen: { path: set, place: 'settings' },
    })
    const nowhere = chooseProgram('claude', search({ path: `${own}-not` }))
    expect(nowhere.chosen).toBeUndefined()
    expect(nowhere.problem).toBe(
      `The program that was set is wrong: there is no program at ${own}-not`,
    )
    chmodSync(set, 0o777)
    expect(chooseProgram('claude', search({ path: set })).problem).toContain('by everybody')
    expect(chooseProgram('claude', search({ path: 'claude' })).problem).toContain(
      'no absolute path',
    )
  })
})

test("the program's own folder ends the PATH, for the Node that stands beside it", () => {
  expect(pathWith('/n/bin/claude', '/usr/bin')).toBe('/usr/bin:/n/bin')
  expect(pathWith('/usr/bin/claude', '/usr/bin:/bin')).toBe('/usr/bin:/bin')
})
