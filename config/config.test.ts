import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { ConfigError, loadConfig } from './config.ts'
import { shortSocketDir } from './home.ts'

let home: string
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'dispatch-config-'))
})
afterEach(() => rmSync(home, { recursive: true, force: true }))

const write = (text: string) => writeFileSync(join(home, 'config.toml'), text, { mode: 0o600 })

function refusal(env: Record<string, string>, flags = {}): string {
  try {
    loadConfig(env, { home, ...flags })
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError)
    expect(error).toMatchObject({ exitCode: 78 })
    return (error as Error).message
  }
  throw new Error('was accepted')
}

test('flags win over environment and file; empty variables are not set', () => {
  write('port = 5001\n[pool]\nmax_concurrent = 7\n[log]\nlevel = "warn"\n')
  expect(loadConfig({}, { home })).toMatchObject({
    port: 5001,
    pool: { maxConcurrent: 7 },
    logLevel: 'warn',
  })
  expect(loadConfig({ DISPATCH_MAX_CONCURRENT: '4' }, { home }).pool.maxConcurrent).toBe(4)
  expect(loadConfig({ DISPATCH_PORT: '' }, { home }).port).toBe(5001)
  expect(loadConfig({ DISPATCH_PORT: '5002' }, { home }).port).toBe(5002)
  expect(loadConfig({ DISPATCH_PORT: '5002' }, { home, port: '5003' }).port).toBe(5003)
})

test.each([
  ['port = "x', /config\.toml:1:\d+: .*correct this line/],
  ['port = 1\nport = 2', /config\.toml:2/],
  ['prot = 4400', /config\.toml: prot is not known: remove it or correct its spelling/],
  ['[pool]\nmax_concurrent = 0', /config\.toml: pool\.max_concurrent is wrong/],
  ['[pool]\nmax_concurrent = 1.5', /pool\.max_concurrent is wrong/],
  ['[pool]\nmax_concurrent = true', /pool\.max_concurrent is wrong: must be a whole number/],
  ['port = [4400]', /port is wrong: must be a whole number/],
  ['host = ""', /host is wrong/],
  ['[temporal]\naddress = "http://x"', /temporal\.address is wrong: must be host:port/],
])('a wrong file is refused with file and key: %s', (text, message) => {
  write(text)
  expect(refusal({})).toMatch(message)
})

test('a home has the same paths whichever way it is named, also before it is there', () => {
  const link = `${home}-link`
  symlinkSync(home, link)
  try {
    const { root } = loadConfig({}, { home }).home
    expect(loadConfig({}, { home: link }).home.root).toBe(root)
    expect(loadConfig({}, { home: join(link, 'x', '..', 'new') }).home.root).toBe(join(root, 'new'))
  } finally {
    rmSync(link)
  }
})

test.each(['"', ':', '*', '?', '\n', '#', '%20'])(
  'a home whose path has a %j in it is refused',
  (special) => {
    expect(() => loadConfig({ DISPATCH_HOME: join(home, `a${special}b`) })).toThrow(
      expect.objectContaining({
        exitCode: 78,
        message: expect.stringMatching(
          /its path has a ".+" in it\.\nName another one with --home or DISPATCH_HOME/,
        ),
      }),
    )
  },
)

test('a home whose path is too long for a database is refused', () => {
  const long = (bytes: number) => join(home, ...('a'.repeat(bytes).match(/.{1,200}/g) ?? []))
  expect(loadConfig({ DISPATCH_HOME: long(700) }).home.root).toContain('aaa')
  expect(() => loadConfig({ DISPATCH_HOME: long(1000) })).toThrow(
    expect.objectContaining({ exitCode: 78, message: expect.stringContaining('is longer than') }),
  )
})

test('sockets have a short folder also where that for temporary files is long, or is not there', () => {
  const within = (folder: string) => {
    vi.stubEnv('TMPDIR', folder)
    return shortSocketDir('/a/home')
  }
  const long = join(home, 'x'.repeat(80))
  mkdirSync(long)
  try {
    expect(within('/var')).toMatch(/^\/var\/dispatch-\d+-[\da-f]{12}$/)
    for (const folder of [long, join(home, 'none')])
      expect(within(folder)).toMatch(/^\/tmp\/dispatch-\d+-[\da-f]{12}$/)
  } finally {
    vi.unstubAllEnvs()
  }
})

test('wrong variables and options are named', () => {
  expect(refusal({ DISPATCH_PORT: '70000' })).toBe(
    'environment variable DISPATCH_PORT is wrong: must be a whole number from 1 to 65535',
  )
  expect(refusal({ DATABASE_URL: 'mysql://x' })).toMatch(
    /environment variable DATABASE_URL is wrong: must start with/,
  )
  expect(refusal({ DATABASE_URL: 'postgres://me:p@ss@db:port/x' })).toMatch(
    /environment variable DATABASE_URL is wrong: is not a URL/,
  )
  expect(refusal({ DISPATCH_UMASK: '08' })).toMatch(/DISPATCH_UMASK is wrong: must be an octal/)
  expect(loadConfig({ DISPATCH_UMASK: '022' }, { home }).umask).toBe(0o022)
  expect(refusal({ DISPATCH_MIN_FREE_MB: ' ' })).toMatch(/DISPATCH_MIN_FREE_MB is wrong/)
  expect(refusal({}, { temporalPort: 'abc' })).toBe(
    'option --temporal-port is wrong: must be a whole number from 1 to 65535',
  )
  expect(refusal({ TEMPORAL_TLS: 'maybe' })).toMatch(/TEMPORAL_TLS is wrong/)
  expect(loadConfig({ TEMPORAL_TLS: 'false' }, { home }).temporal.tls).toBe(false)
})

test('a file that others may write, or that is a folder, is refused', () => {
  write('')
  chmodSync(join(home, 'config.toml'), 0o666)
  expect(refusal({})).toMatch(/may be written by everybody: chmod 600/)
  rmSync(join(home, 'config.toml'))
  mkdirSync(join(home, 'config.toml'))
  expect(refusal({})).toMatch(/is not a file/)
})

test('secrets come from files, the password of the database apart from its URL', () => {
  const file = join(home, 'password')
  writeFileSync(file, 'p@ss/word\n', { mode: 0o600 })
  const url = 'postgresql://dispatch@postgres:5432/dispatch'
  const env = { DATABASE_URL: url, DATABASE_PASSWORD_FILE: file, TEMPORAL_API_KEY_FILE: file }
  const config = loadConfig(env, { home })
  expect(config.databaseUrl).toBe('postgresql://dispatch:p%40ss%2Fword@postgres:5432/dispatch')
  expect(config.temporal.apiKey).toBe('p@ss/word')
  const bySocket = 'postgresql://dispatch@/dispatch?host=/run/postgresql'
  expect(loadConfig({ ...env, DATABASE_URL: bySocket }, { home }).databaseUrl).toContain(
    ':p%40ss%2Fword@localhost/dispatch?host=',
  )
  expect(refusal({ ...env, TEMPORAL_API_KEY: 'other' })).toMatch(
    /TEMPORAL_API_KEY and TEMPORAL_API_KEY_FILE are both set/,
  )
  expect(refusal({ DATABASE_PASSWORD_FILE: join(home, 'none') })).toMatch(
    /DATABASE_PASSWORD_FILE names .*none, which cannot be read/,
  )
})
