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
        scripts: { test: 'node test/textkit.test.js' },
      },
      null,
      2,
    )}\n`,
    'README.md': README,
    'bin/textkit.js': COMMAND,
    ...Object.fromEntries(SAMPLE_FUNCTIONS.map((f) => [f.file, stub(f)])),
    'test/textkit.test.js': TESTS,
  }
}

export interface SampleFunction {
  name: string
  file: string
  purpose: string
  /** What the demo agent writes. */
  solution: string
  cases: readonly (readonly [input: string, expected: string])[]
}

export const SAMPLE_FUNCTIONS: readonly SampleFunction[] = [
  {
    name: 'slugify',
    file: 'src/slugify.js',
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

const testsOf = ({ name, file, cases }: SampleFunction) =>
  `// ${name}, ${file}
${cases
  .map(
    ([input, expected]) =>
      `test(${JSON.stringify(`${name}(${input}) is ${expected}`)}, { todo: isMissing(${name}) }, () => {
  assert.equal(${name}(${input}), ${expected})
})
`,
  )
  .join('\n')}`

/** One file that runs by itself: `node --test` starts a process for itself and one for each file. */
const TESTS = `import assert from 'node:assert/strict'
import { test } from 'node:test'
${SAMPLE_FUNCTIONS.map(({ name, file }) => `import { ${name} } from '../${file}'`).join('\n')}

const isMissing = (f) => String(f).includes('not implemented')

${SAMPLE_FUNCTIONS.map(testsOf).join('\n')}
test('textkit can do something', () => {
  const functions = [${SAMPLE_FUNCTIONS.map(({ name }) => name).join(', ')}]
  assert.ok(!functions.every(isMissing), 'none of its functions is written yet')
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
