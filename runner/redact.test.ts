import { expect, test } from 'vitest'
import { createRedactor } from './redact.ts'

const env = {
  PATH: '/usr/bin',
  OPENAI_API_KEY: 'correct-horse/battery+staple==',
  GITHUB_TOKEN: 'abcabcabcabc',
  DB_PASSWORD: 'p"w\\d with spaces',
  SHORT_KEY: 'abc',
  AWS_BEARER_TOKEN_BEDROCK: 'a key of words',
  ANTHROPIC_CUSTOM_HEADERS: 'x-gateway: open sesame',
  HTTPS_PROXY: 'http://me:pw@proxy:3128',
}
const redactor = createRedactor(env)

const SECRETS: readonly (readonly [what: string, text: string, hidden: string])[] = [
  ['a known value', `key ${env.OPENAI_API_KEY} end`, 'horse'],
  ['a value that begins like itself', `t ${env.GITHUB_TOKEN} end`, 'abcabc'],
  ['a known value in JSON', JSON.stringify({ p: env.DB_PASSWORD }), 'with spaces'],
  ['a bearer token', `t ${env.AWS_BEARER_TOKEN_BEDROCK} end`, 'key of words'],
  ['a header of a gateway', `t ${env.ANTHROPIC_CUSTOM_HEADERS} end`, 'sesame'],
  ['the password of a proxy', `t ${env.HTTPS_PROXY} end`, 'pw'],
  ['a known value in a URL', `?k=${encodeURIComponent(env.OPENAI_API_KEY)}&x`, 'horse'],
  ...['', 'x', 'xy'].map((before) => {
    const encoded = Buffer.from(`${before}${env.OPENAI_API_KEY} and more`).toString('base64')
    return [`base64 after "${before}"`, `b ${encoded} end`, encoded.slice(8, 30)] as const
  }),
  ['an Anthropic key', `k sk-ant-api03-${'a1B2c3D4'.repeat(6)} end`, 'a1B2c3D4'],
  ['an OpenAI key', `k sk-proj-${'Zz9_'.repeat(10)} end`, 'Zz9_'],
  ['a GitHub token', `k ghp_${'k3Y9'.repeat(9)} end`, 'k3Y9'],
  ['a fine-grained GitHub token', `k github_pat_${'k3Y9'.repeat(12)} end`, 'k3Y9'],
  ['a GitLab token', `k glpat-${'k3Y9'.repeat(5)} end`, 'k3Y9'],
  ['a Slack token', `k xoxb-${'1234-'.repeat(4)}abc end`, '1234-1234'],
  ['an AWS key id', `k AKIA${'Q7'.repeat(8)} end`, 'Q7Q7'],
  ['a Google key', `k AIza${'k3Y9'.repeat(9)} end`, 'k3Y9'],
  ['a JWT', `k eyJ${'k3Y9'.repeat(9)}.eyJ${'k3Y9'.repeat(9)}.${'k3Y9'.repeat(9)} end`, 'k3Y9'],
  ['an npm token', `k npm_${'k3Y9'.repeat(9)} end`, 'k3Y9'],
  ['our own token', `k dsp_${'k3Y9'.repeat(9)} end`, 'k3Y9'],
  ['a bearer header', `Authorization: Bearer ${'k3Y9'.repeat(9)} end`, 'k3Y9'],
  ['a password in a URL', 'postgres://me:hunter2hunter@db/x end', 'hunter2'],
  ['a named value', `api_key = "${'k3Y9'.repeat(5)}" end`, 'k3Y9'],
  ['an AWS secret', `AWS_SECRET_ACCESS_KEY=${'k3Y9/'.repeat(8)} end`, 'k3Y9'],
  ['a named value in capitals', `export DB_PASSWORD='${'k3Y9'.repeat(5)}' end`, 'k3Y9'],
  ['a key in camel case', `{ privateKeyId: '${'k3Y9'.repeat(5)}' } end`, 'k3Y9'],
  ['a named value without digits', 'client_secret: qZvRtWmXhBnLcKdPfGsJyUaE end', 'hBnLcK'],
  [
    'a private key',
    `-----BEGIN RSA PRIVATE KEY-----\n${'MIIk3Y9\n'.repeat(20)}-----END RSA PRIVATE KEY----- end`,
    'MIIk3Y9',
  ],
]

test.each(SECRETS)('%s is taken out', (_what, text, hidden) => {
  expect(redactor.text(text)).not.toContain(hidden)
  expect(redactor.text(text)).toContain('[redacted')
})

test.each(SECRETS)('%s is taken out wherever a stream is cut', (_what, text, hidden) => {
  const whole = redactor.text(text)
  for (let cut = 1; cut < text.length; cut += 1) {
    const stream = redactor.stream()
    const shown = stream.push(text.slice(0, cut)) + stream.push(text.slice(cut)) + stream.flush()
    expect(shown, `cut at ${cut}`).not.toContain(hidden)
    expect(shown, `cut at ${cut}`).toBe(whole)
  }
})

test('character by character is as safe as at once', () => {
  for (const [, text, hidden] of SECRETS) {
    const stream = redactor.stream()
    const shown = [...text].map((character) => stream.push(character)).join('') + stream.flush()
    expect(shown).not.toContain(hidden)
  }
})

test('ordinary text stays as it is', () => {
  for (const text of [
    'const password = req.body.password',
    'the task-management token: see docs/tokens.md and https://example.org/a?b=c',
    'const secrets = secretManagerServiceFactoryProvider; tokenizer: SentencePieceTokenizer',
    'abc is short, and sk-learn is a package',
    'git commit 0123456789abcdef0123456789abcdef01234567',
  ]) {
    expect(redactor.text(text)).toBe(text)
    const stream = redactor.stream()
    expect([...text].map((c) => stream.push(c)).join('') + stream.flush()).toBe(text)
  }
})

test('a value inside a structure is taken out too', () => {
  expect(redactor.value({ a: [{ b: `x ${env.GITHUB_TOKEN}` }], n: 1, z: null })).toEqual({
    a: [{ b: 'x [redacted:GITHUB_TOKEN]' }],
    n: 1,
    z: null,
  })
})

test('long text without an end in sight is not held back for ever, and takes little time', () => {
  const stream = redactor.stream()
  const begun = performance.now()
  for (let round = 0; round < 200; round += 1) stream.push('eyJ.a-b. ://a-----BEGIN '.repeat(400))
  for (let round = 0; round < 200; round += 1) stream.push('eyJ.a-b.'.repeat(1000))
  expect(stream.flush().length).toBeLessThanOrEqual(8 * 1024)
  expect(performance.now() - begun).toBeLessThan(10_000)
})
