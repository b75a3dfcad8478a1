import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTestApi, type TestApi } from './support/test-api.ts'

const SCRIPT = `document.documentElement.dataset.theme='dark'`
const BROWSER = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' }

let at: TestApi
let uiDir: string
beforeAll(async () => {
  // where nvm keeps what npm installs, there is a hidden folder on the way
  uiDir = mkdtempSync(join(tmpdir(), '.dispatch-pages-'))
  mkdirSync(join(uiDir, 'assets'))
  writeFileSync(join(uiDir, 'index.html'), `<!doctype html><script>${SCRIPT}</script><p>page</p>`)
  writeFileSync(join(uiDir, 'assets', 'index-1.js'), 'plain()')
  writeFileSync(join(uiDir, 'assets', 'index-1.js.gz'), gzipSync('packed()'))
  at = await startTestApi({ uiDir })
})
afterAll(async () => {
  await at.close()
  rmSync(uiDir, { recursive: true })
})

test.each(['/', '/goals/G-12', '/reviews?panel=T-1'])(
  'a visit to %s gets the page, and its own script alone may run',
  async (path) => {
    const { status, headers, body } = await at.call('GET', path, undefined, BROWSER)
    expect(status).toBe(200)
    expect(body).toContain('<p>page</p>')
    expect(headers['cache-control']).toBe('no-cache')
    const hash = createHash('sha256').update(SCRIPT).digest('base64')
    const csp = String(headers['content-security-policy'])
    expect(csp).toContain(`script-src 'self' 'sha256-${hash}'`)
    expect(csp).toContain("default-src 'self'")
    expect(/script-src[^;]*unsafe/.test(csp)).toBe(false)
  },
)

test.each(['/api/nothing', '/assets/gone-1.js', '/metrics/none'])(
  '%s is never the page, whoever asks',
  async (path) => {
    const { status, body } = await at.call('GET', path, undefined, BROWSER)
    expect(status).toBe(404)
    expect(body).toMatchObject({ code: 'not_found' })
  },
)

test('a program that asks for an address that does not exist gets a problem and no page', async () => {
  const { status, body } = await at.call('GET', '/goals/G-12', undefined, { accept: '*/*' })
  expect({ status, code: body.code }).toEqual({ status: 404, code: 'not_found' })
})

test('what the build compressed is sent compressed, to those who take it, and kept for ever', async () => {
  const url = `http://127.0.0.1:${at.api.port}/assets/index-1.js`
  const packed = await fetch(url, { headers: { 'accept-encoding': 'gzip' } })
  expect(packed.headers.get('content-encoding')).toBe('gzip')
  expect(packed.headers.get('cache-control')).toContain('immutable')
  expect(await packed.text()).toBe('packed()')
  const plain = await fetch(url, { headers: { 'accept-encoding': 'identity' } })
  expect(await plain.text()).toBe('plain()')
})
