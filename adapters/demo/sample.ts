/**
 * The sample repository: a small Node program whose functions are missing and whose test suite fails until they are written.
 * A function that nobody has written yet counts as "todo", so that a task can be checked alone; a suite in which nothing at all
 * works fails. Shown by the demo, and used by tests that need a real project.
 */
export function sampleFiles(): Record<string, string> {
  return {
    'package.json': `${JSON.stringify(
      {
        name: 'textkit',
        version: '0.1.0',
        private: true,
        type: 'module',
        bin: { textkit: 'bin/textkit.js' },
        scripts: { test: 'node --test' },
      },
      null,
      2,
    )}\n`,
    'README.md': README,
    'bin/textkit.js': COMMAND,
    ...Object.fromEntries(SAMPLE_FUNCTIONS.map((f) => [f.file, stub(f)])),
    ...Object.fromEntries(SAMPLE_FUNCTIONS.map((f) => [f.test, tests(f)])),
    'test/textkit.test.js': SUITE_GUARD,
  }
}

export interface SampleFunction {
  name: string
  file: string
  test: string
  purpose: string
  /** What the demo agent writes. */
  solution: string
  cases: readonly (readonly [input: string, expected: string])[]
}

export const SAMPLE_FUNCTIONS: readonly SampleFunction[] = [
  {
    name: 'slugify',
    file: 'src/slugify.js',
    test: 'test/slugify.test.js',
    purpose: 'A title as a part of a URL: small letters and digits, joined by single dashes.',
    solution: `export function slugify(text) {
  return text
    .normalize('NFKD')
    .replace(/[\\u0300-\\u036f]/g, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
}
`,
    cases: [
      ["'Hello, World!'", "'hello-world'"],
      ["'  Crème brûlée  '", "'creme-brulee'"],
      ["'---'", "''"],
    ],
  },
  {
    name: 'wordCount',
    file: 'src/word-count.js',
    test: 'test/word-count.test.js',
    purpose:
      'How many words a text has; a word is a run of letters, digits, apostrophes or hyphens.',
    solution: `export function wordCount(text) {
  return text.match(/[\\p{L}\\p{N}]+(?:['’-][\\p{L}\\p{N}]+)*/gu)?.length ?? 0
}
`,
    cases: [
      ["''", '0'],
      ['"It\'s a well-known fact."', '4'],
      ["'eins  zwei\\ndrei'", '3'],
    ],
  },
  {
    name: 'formatDuration',
    file: 'src/format-duration.js',
    test: 'test/format-duration.test.js',
    purpose: 'Seconds for people: the two largest units that are not zero, as in "1 h 5 min".',
    solution: `const UNITS = [
  ['d', 86_400],
  ['h', 3_600],
  ['min', 60],
  ['s', 1],
]

export function formatDuration(seconds) {
  let rest = Math.max(0, Math.round(seconds))
  const parts = []
  for (const [unit, size] of UNITS) {
    const count = Math.floor(rest / size)
    rest %= size
    if (count > 0) parts.push(\`\${count} \${unit}\`)
  }
  return parts.slice(0, 2).join(' ') || '0 s'
}
`,
    cases: [
      ['0', "'0 s'"],
      ['3900', "'1 h 5 min'"],
      ['90061', "'1 d 1 h'"],
    ],
  },
]

/** What a function that is not written yet throws; the demo agent looks for it. */
export const notImplemented = (name: string) => `not implemented: ${name}`

const stub = ({ name, purpose }: SampleFunction) =>
  `/** ${purpose} */
export function ${name}() {
  throw new Error('${notImplemented(name)}')
}
`

const tests = ({ name, file, cases }: SampleFunction) =>
  `import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ${name} } from '../${file}'

const todo = String(${name}).includes('not implemented')

${cases
  .map(
    ([input, expected]) =>
      `test(${JSON.stringify(`${name}(${input}) is ${expected}`)}, { todo }, () => {
  assert.equal(${name}(${input}), ${expected})
})
`,
  )
  .join('\n')}`

const SUITE_GUARD = `import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'

const textkit = new URL('../bin/textkit.js', import.meta.url).pathname

test('textkit can do something', () => {
  const list = execFileSync(process.execPath, [textkit, 'list'], { encoding: 'utf8' })
  assert.notEqual(list.trim(), '', 'none of its functions is written yet')
})
`

const COMMAND = `#!/usr/bin/env node
import { formatDuration } from '../src/format-duration.js'
import { slugify } from '../src/slugify.js'
import { wordCount } from '../src/word-count.js'

const commands = {
  slug: { run: slugify, from: slugify },
  words: { run: wordCount, from: wordCount },
  duration: { run: (text) => formatDuration(Number(text)), from: formatDuration },
}

const [name, ...rest] = process.argv.slice(2)
if (name === 'list') {
  const ready = Object.keys(commands).filter((key) => !String(commands[key].from).includes('not implemented'))
  console.log(ready.join('\\n'))
} else if (name in commands) {
  console.log(commands[name].run(rest.join(' ')))
} else {
  console.error('usage: textkit slug|words|duration <text>, or textkit list')
  process.exitCode = 2
}
`

const README = `# textkit

Three small text functions and a command for them.

\`\`\`sh
node bin/textkit.js slug "Hello, World!"
npm test
\`\`\`

${SAMPLE_FUNCTIONS.map(({ name, file, purpose }) => `- \`${name}\` (\`${file}\`): ${purpose}`).join('\n')}
`
