import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { packageRoot } from '../../config/home.ts'
import { COMPOSE_FILE, readCompose } from './compose-file.ts'
import { hadolint, TEMPORAL_SERVER } from './tools.ts'

const services = readCompose()
const inRoot = (...path: string[]) => join(packageRoot(), ...path)

test('nothing is published but the UI, on loopback; Temporal’s own page only by its profile', () => {
  const published = Object.entries(services).flatMap(([name, { ports }]) =>
    ports.map((port) => `${name} ${port}`),
  )
  expect(published.sort()).toEqual(['api 127.0.0.1:4400:4400', 'temporal-ui 127.0.0.1:8233:8080'])
  expect(parse(readFileSync(COMPOSE_FILE, 'utf8')).services['temporal-ui'].profiles).toEqual([
    'temporal-ui',
  ])
})

test('images are pinned to a version, Temporal’s to the one that is tested', () => {
  for (const [name, { image }] of Object.entries(services))
    expect(image, name).toMatch(/:(\d+\.\d+(\.\d+)?(-\w+)?|local)$/)
  expect(services['temporal']?.image).toBe(`temporalio/server:${TEMPORAL_SERVER}`)
  expect(services['temporal-schema']?.image).toBe(`temporalio/admin-tools:${TEMPORAL_SERVER}`)
})

test('secrets come from files, and agents and checks are started where there are none', () => {
  for (const [name, { environment }] of Object.entries(services))
    for (const key of Object.keys(environment))
      if (/PASSWORD|PWD|API_KEY|TOKEN/.test(key)) expect(key, name).toMatch(/_FILE$/)
  const { runners } = services
  expect(runners?.secrets).toEqual([])
  expect(runners?.environment).toEqual({})
  expect(runners?.networks).toEqual(['agents'])
  expect(services['worker']?.environment['DISPATCH_SPAWNER_SERVICE']).toBe('true')
  expect(services['worker']?.networks).toEqual(['backend'])
})

test('whoever uses the home shares one table of processes', () => {
  const users = Object.entries(services).filter(([, { volumes }]) =>
    volumes.some((volume) => volume.startsWith('home:')),
  )
  expect(users.map(([name]) => name).sort()).toEqual(['api', 'runners', 'worker'])
  for (const [name, { pid }] of users) expect(pid, name).toBe('service:processes')
})

test('every folder that is built gets into the image’s build', () => {
  const script = readFileSync(inRoot('scripts', 'build.mjs'), 'utf8')
  const built = /const FOLDERS = \[([^\]]+)\]/.exec(script)?.[1]?.match(/\w+/g) ?? []
  expect(built).toContain('worker')
  const kept = readFileSync(inRoot('.dockerignore'), 'utf8').split('\n')
  expect(kept).toEqual(expect.arrayContaining([...built, 'ui'].map((folder) => `!${folder}`)))
})

test('the production server is tuned like the development server', () => {
  const text = readFileSync(inRoot('temporal', 'dynamic-config.yaml'), 'utf8')
  const values = Object.values(parse(text) as Record<string, { value: number }[]>)
  expect(Object.keys(parse(text))).toEqual(
    ['transfer', 'timer', 'visibility'].map((queue) => `history.${queue}ProcessorMaxPollRPS`),
  )
  expect(values.flat().map(({ value }) => value)).toEqual([1000, 1000, 1000])
  const source = readFileSync(inRoot('temporal', 'dev-server.ts'), 'utf8')
  expect(source).toContain('ProcessorMaxPollRPS=1000')
})

test('the image has no complaint of hadolint, which finds what is wrong', async () => {
  const program = await hadolint()
  expect(execFileSync(program, [inRoot('Dockerfile')], { encoding: 'utf8' })).toBe('')
  const folder = mkdtempSync(join(tmpdir(), 'dispatch-image-'))
  try {
    const bad = join(folder, 'Dockerfile')
    writeFileSync(bad, 'FROM node\nRUN cd /tmp && apt-get install git\n')
    expect(spawnSync(program, [bad], { encoding: 'utf8' }).stdout).toMatch(/DL3006/)
    // the compose file's own check, part of `npm run check`
    const wrong = join(folder, 'docker-compose.yml')
    writeFileSync(wrong, 'services:\n  api:\n    image: a:1\n    prots: ["1:1"]\n')
    const dclint = inRoot('node_modules', '.bin', 'dclint')
    expect(spawnSync(dclint, ['--quiet', wrong]).status).not.toBe(0)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
