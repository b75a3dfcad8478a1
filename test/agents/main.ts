import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { packageRoot, packageVersion } from '../../config/home.ts'
import { CLAUDE_PACKAGE_VERSION, CLAUDE_VERSION } from './install.ts'
import { CODEX_VERSION } from './install-codex.ts'
import { GEMINI_VERSION } from './install-gemini.ts'

/** Who is tested with the real program, and by which files. */
const AGENTS = [
  {
    title: 'Claude Code',
    version: `${CLAUDE_VERSION}, driven by the Agent SDK ${CLAUDE_PACKAGE_VERSION}`,
    files: [
      'test/agents/claude.test.ts',
      'test/agents/claude-conformance.test.ts',
      'test/journeys/claude.test.ts',
    ],
  },
  {
    title: 'Codex',
    version: `${CODEX_VERSION}, driven by its app-server`,
    files: [
      'test/agents/codex.test.ts',
      'test/agents/codex-failures.test.ts',
      'test/agents/codex-exec.test.ts',
      'test/agents/codex-conformance.test.ts',
      'test/journeys/codex.test.ts',
    ],
  },
  {
    title: 'Gemini CLI',
    version: `${GEMINI_VERSION}, driven by its stream and hooks`,
    files: [
      'test/agents/gemini.test.ts',
      'test/agents/gemini-conformance.test.ts',
      'test/journeys/gemini.test.ts',
    ],
  },
  {
    title: 'Any agent of the Agent Client Protocol',
    version: `(a small one of ours, and gemini --acp ${GEMINI_VERSION})`,
    files: ['test/agents/acp-conformance.test.ts', 'test/agents/acp.test.ts'],
  },
] as const

interface VitestReport {
  testResults: {
    name: string
    assertionResults: {
      ancestorTitles: string[]
      title: string
      status: string
      duration?: number | null
    }[]
  }[]
}

/** `npm run test:agents`: runs the scenarios of all real agents and writes docs/agents.md from what happened. */
async function main(): Promise<number> {
  const root = packageRoot()
  const folder = mkdtempSync(join(tmpdir(), 'dispatch-agents-'))
  const report = join(folder, 'report.json')
  const vitest = join(root, 'node_modules/vitest/vitest.mjs')
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`]
  const files = AGENTS.flatMap((agent) => [...agent.files])
  const child = spawn(process.execPath, [vitest, 'run', ...reporters, ...files], {
    cwd: root,
    env: { ...process.env, DISPATCH_AGENT_MATRIX: '1' },
    stdio: 'inherit',
  })
  const [code] = (await once(child, 'exit')) as [number | null]
  const results = JSON.parse(readFileSync(report, 'utf8')) as VitestReport
  rmSync(folder, { recursive: true })
  writeFileSync(join(root, 'docs/agents.md'), page(results))
  return code ?? 1
}

function page(report: VitestReport): string {
  const { node } = process.versions
  const machine = `Node ${node}, ${process.platform} ${process.arch}, ${cpus().length} cores`
  const about = `# Agents, as tested

Written by \`npm run test:agents\` on ${new Date().toISOString().slice(0, 10)}: Dispatch ${packageVersion()}, ${machine}. The real programs, each with a home and an
environment of its own, against a scripted model on loopback (\`test/model-server\`): what a provider really answers may be worded otherwise.
What a program is never seen to do by itself (printing garbage, 50 MB lines, ignoring signals) is played by a stand-in.
`
  return [about, ...AGENTS.map((agent) => section(agent, report))].join('\n')
}

function section(agent: (typeof AGENTS)[number], { testResults }: VitestReport): string {
  const rows = testResults
    .filter(({ name }) => agent.files.some((file) => name.endsWith(file)))
    .flatMap(({ assertionResults }) => assertionResults)
    .map(({ ancestorTitles, title, status, duration }) => {
      const seconds = ((duration ?? 0) / 1000).toFixed(1)
      const name = [...ancestorTitles, title].join(': ').replaceAll('|', '\\|')
      return `| ${name} | ${status === 'passed' ? 'ok' : status} | ${seconds} |`
    })
  return `## ${agent.title} ${agent.version}

| Scenario | Result | Seconds |
|---|---|---|
${rows.join('\n')}
`
}

process.exitCode = await main()
