import { cpus } from 'node:os'
import { packageVersion } from '../../config/home.ts'
import { DRIVERS, type Driver } from './drivers.ts'
import { SCENARIO_NAMES } from './scenarios.ts'

export interface VitestReport {
  testResults: { name: string; assertionResults: Assertion[] }[]
}

interface Assertion {
  ancestorTitles: string[]
  title: string
  status: string
  duration?: number | null
}

/** docs/agents.md as Markdown: every scenario by every agent, then what was tried with one of them besides. */
export function agentsPage(report: VitestReport, { isWalled }: { isWalled: boolean }): string {
  const all = report.testResults.flatMap(({ assertionResults }) => assertionResults)
  const isShared = (test: Assertion) => SHARED.some((is) => is(test))
  const { node } = process.versions
  const machine = `Node ${node}, ${process.platform} ${process.arch}, ${cpus().length} cores`
  const network = isWalled
    ? 'in a network namespace that has loopback and nothing else'
    : 'with all its traffic on loopback'
  return `# Agents, as tested

Written by \`npm run test:agents\` on ${new Date().toISOString().slice(0, 10)}: Dispatch ${packageVersion()}, ${machine}. The real programs, each with a home and an
environment of its own, ${network}, against a scripted model (\`test/model-server\`): what a
provider really answers may be worded otherwise. A cell is the seconds that the whole test of it took, or why there is none.

${DRIVERS.map(({ title, version, note, hidesEndOfLimit }) => `- ${[`${title} ${version}${note || hidesEndOfLimit ? '.' : ''}`, note, hidesEndOfLimit].filter(Boolean).join(' ')}`).join('\n')}

## With the real program

${table(
  SCENARIO_NAMES.map((name) => ({
    name,
    cells: DRIVERS.map((driver) => driver.cannot[name] ?? cell(find(all, [driver.title], name))),
  })),
)}

## The seam, with the real program, with a stand-in, and on recordings

One suite is played three times: with the real program; with a stand-in that speaks the four wires and does what no real one is seen to do
by itself; and on recordings of the real program (\`npm run recordings\`), played by a program in its place. A cell has the seconds of the
three, – where one cannot show it.

${table(
  titlesOf(all, /^Conformance of /).map((name) => ({
    name,
    cells: DRIVERS.map((driver) => {
      const suite = `Conformance of ${driver.name}`
      return [['With the real program', suite], [suite], [ON_RECORDINGS, suite]]
        .map((ancestors) => find(all, ancestors, name))
        .map(played)
        .join(' · ')
    }),
  })),
)}

## ${ON_RECORDINGS}

A recording has what both sides said and the files that were written into the working folder: Gemini CLI tells of a shortened conversation in
its session's file alone, which is elsewhere.

${table(
  titlesOf(all, /^Recordings of /).map((name) => ({
    name,
    cells: DRIVERS.map((driver) =>
      played(find(all, [ON_RECORDINGS, `Recordings of ${driver.name}`], name)),
    ),
  })),
)}

## Besides

| What | Result | Seconds |
|---|---|---|
${all
  .filter((test) => !isShared(test) && isPlayed(test))
  .map(
    (test) =>
      `| ${escaped([...test.ancestorTitles, test.title].join(': '))} | ${result(test)} | ${seconds(test)} |`,
  )
  .join('\n')}
`
}

const ON_RECORDINGS = 'On recordings of the real program'

const SHARED: readonly ((test: Assertion) => boolean)[] = [
  ({ ancestorTitles: [first] }) => DRIVERS.some(({ title }) => title === first),
  ({ ancestorTitles }) => /^(?:Conformance|Recordings) of /.test(ancestorTitles.at(-1) ?? ''),
]

function table(rows: readonly { name: string; cells: readonly string[] }[]): string {
  const head = `| | ${DRIVERS.map(({ title }: Driver) => title).join(' | ')} |\n|---|${DRIVERS.map(() => '---|').join('')}`
  const lines = rows.map(({ name, cells }) => `| ${escaped(name)} | ${cells.join(' | ')} |`)
  return [head, ...lines].join('\n')
}

const find = (all: readonly Assertion[], ancestors: readonly string[], title: string) =>
  all.find(
    (test) => test.title === title && test.ancestorTitles.join('\n') === ancestors.join('\n'),
  )

function titlesOf(all: readonly Assertion[], suite: RegExp): string[] {
  const own = all.filter(({ ancestorTitles }) => suite.test(ancestorTitles.at(-1) ?? ''))
  return [...new Set(own.map(({ title }) => title))]
}

const isPlayed = ({ status }: Assertion) => status === 'passed' || status === 'failed'

function cell(test: Assertion | undefined): string {
  if (!test || !isPlayed(test)) return 'not played'
  return test.status === 'passed' ? seconds(test) : '**failed**'
}

/** Where it is no fault that one cannot be played. */
const played = (test: Assertion | undefined) => (test && isPlayed(test) ? cell(test) : '–')

const result = ({ status }: Assertion) => (status === 'passed' ? 'ok' : '**failed**')
const seconds = ({ duration }: Assertion) => ((duration ?? 0) / 1000).toFixed(1)
const escaped = (text: string) => text.replaceAll('|', '\\|')
