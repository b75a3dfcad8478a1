import type { DiffFile } from '../contracts/schemas.ts'
import type { Risk, Tier } from '../contracts/stages.ts'

/** One changed file as git tells it. */
export interface ChangedFile {
  path: string
  oldPath?: string | undefined
  status: 'added' | 'modified' | 'deleted' | 'renamed' | 'copied' | 'type_changed'
  additions: number
  deletions: number
  binary: boolean
  modeChanged: boolean
  symlink: boolean
  submodule: boolean
  /** Hidden or direction-changing characters found in the change (CVE-2021-42574 and its like). */
  suspicious: readonly string[]
}

export interface JudgedFile {
  risk: Risk
  notes: string[]
}

const HIGH: readonly [RegExp, string][] = [
  [
    // CLAUDE.local.md, and AGENTS.override.md, which Codex takes instead (developers.openai.com/codex/guides/agents-md)
    // and what VS Code's agents know by its ending (code.visualstudio.com/docs/agent-customization/custom-instructions)
    /(^|\/)((CLAUDE|AGENTS?|GEMINI|QWEN|CRUSH|WARP)(\.[^/.]+)*|SKILL)\.md$|\.(instructions|prompt|chatmode|agent)\.md$/i,
    'changes what agents are told',
  ],
  [
    /(^|\/)(prompts?|skills|agents|commands|rules)\/.*\.(md|mdc|rst|adoc|txt)$/i,
    'changes what agents are told',
  ],
  // agents and editors keep what they read and run there, under names that nobody can list
  [/(^|\/)\.[^/]+\//, 'changes what a tool reads'],
  [
    /(^|\/)\.github\/|(^|\/)\.gitlab-ci|(^|\/)Jenkinsfile|(^|\/)\.circleci\//i,
    'runs in continuous integration',
  ],
  [
    /(^|\/)(Dockerfile|docker-compose|compose\.ya?ml)|(^|\/)(terraform|k8s|helm|deploy)\//i,
    'changes how it is deployed',
  ],
  [
    /(^|\/)(package\.json|pyproject\.toml|setup\.(py|cfg)|Pipfile|Cargo\.toml|go\.(mod|work)|Gemfile|composer\.json|mix\.exs|deno\.jsonc?|pom\.xml)$/i,
    'changes dependencies or scripts',
  ],
  [/(^|\/)((dev-)?requirements|constraints)[^/]*\.(txt|in)$/i, 'changes dependencies'],
  [
    /(\.lock|\.lockb|[-.]lock\.(json|ya?ml)|(^|\/)(npm-shrinkwrap\.json|go\.sum))$/i,
    'changes dependencies',
  ],
  [
    /(^|\/)(CMakeLists\.txt|(GNU)?Makefile|Rakefile|Justfile|meson\.build|build\.rs|(BUILD|WORKSPACE)(\.bazel)?)$|(\.(mk|cmake|gradle|gradle\.kts))$/i,
    'changes how it is built',
  ],
  [/(^|\/)(migrations?|schema)\//i, 'changes stored data'],
  [
    /(auth|login|session|password|secret|token|crypto|permission|acl|payment|billing)/i,
    'touches security or money',
  ],
  [
    /(^|\/)\.(env|npmrc|gitattributes|gitmodules|husky|vscode|claude|codex|gemini|dispatch|mcp)/i,
    'changes tools that run on other machines',
  ],
]
/** An allow-list: by its folder alone nothing is documentation, because `docs/` holds programs too. */
const LOW =
  /\.(md|rst|adoc)$|(^|\/)(LICENSE|README|CHANGELOG|NOTICE|AUTHORS|CONTRIBUTING)(\.txt)?$/i
const TEST = /(^|\/)(tests?|__tests__|spec)\/|\.(test|spec)\.[a-z]+$/i

/** A changed file as reviews and diffs show it. */
export function judgedFile(file: ChangedFile): DiffFile {
  return {
    path: file.path,
    oldPath: file.oldPath ?? null,
    status: file.status,
    additions: file.additions,
    deletions: file.deletions,
    binary: file.binary,
    ...judgeFile(file),
  }
}

/** Said below in words of their own. */
const SAID = new Set(['binary file', 'symbolic link', 'submodule'])

/** How risky a change to one file is, and why. Unknown means at least medium. */
export function judgeFile(file: ChangedFile): JudgedFile {
  const notes: string[] = []
  for (const [pattern, why] of HIGH) {
    if (pattern.test(file.path) || (file.oldPath !== undefined && pattern.test(file.oldPath)))
      notes.push(why)
  }
  const hidden = file.suspicious.filter((what) => what.startsWith('U+'))
  if (hidden.length > 0) notes.push(`hidden characters: ${hidden.join(', ')}`)
  notes.push(...file.suspicious.filter((what) => !what.startsWith('U+') && !SAID.has(what)))
  if (file.symlink) notes.push('is a symbolic link')
  if (file.submodule) notes.push('changes a submodule')
  if (file.modeChanged) notes.push('changes the file mode')
  if (file.binary) notes.push('is binary')
  if (file.status === 'deleted') notes.push('deletes a file')
  if (notes.length > 0) return { risk: 'high', notes }
  // code that was moved to a name of documentation is code that went away
  if (LOW.test(file.path) && LOW.test(file.oldPath ?? file.path))
    return { risk: 'low', notes: ['documentation'] }
  if (TEST.test(file.path)) return { risk: 'medium', notes: ['a test'] }
  return { risk: 'medium', notes: [] }
}

/** `1 file`, `2 files`. */
/** A number with its noun, in the singular for one. */
export const counted = (count: number, noun: string) => `${count} ${noun}${count === 1 ? '' : 's'}`

const ORDER: readonly Risk[] = ['low', 'medium', 'high']
const worst = (risks: readonly Risk[]): Risk =>
  ORDER[Math.max(0, ...risks.map((r) => ORDER.indexOf(r)))] ?? 'low'

/** Why a checklist keeps a review from going on by itself: only what somebody judged and found good is no doubt. */
export function checklistDoubts(
  items: readonly { result: 'pass' | 'warn' | 'fail' | 'unchecked' }[],
): string[] {
  const count = (result: string) => items.filter((item) => item.result === result).length
  const [warned, open] = [count('warn'), count('unchecked')]
  return [
    ...(count('fail') > 0 ? ['a check failed'] : []),
    ...(warned > 0 ? [`verify warns of ${counted(warned, 'item')}`] : []),
    ...(open > 0 ? [`nobody checked ${counted(open, 'item')}`] : []),
  ]
}

/**
 * The tier of a task's review from what it changed. Documentation alone goes on by itself; everything that runs is
 * looked at by a person. A mistake here must cost a click, never a merge.
 */
export function reviewTier(change: {
  files: readonly ChangedFile[]
  /** Set when the diff was cut, when an item failed, is warned of or was not checked, or when the agent deviated. */
  doubts: readonly string[]
}): { tier: Tier; risk: Risk; reason: string } {
  const risk = worst(change.files.map((file) => judgeFile(file).risk))
  const lines = change.files.reduce((sum, file) => sum + file.additions + file.deletions, 0)
  if (change.files.length === 0)
    return { tier: 'block', risk: 'low', reason: 'the agent changed nothing' }
  if (change.doubts.length > 0) return { tier: 'block', risk, reason: change.doubts.join('; ') }
  if (risk === 'low' && lines <= 400)
    return { tier: 'auto', risk, reason: 'only documentation changed' }
  if (risk === 'low')
    return { tier: 'notify', risk, reason: `${lines} lines of documentation changed` }
  return {
    tier: 'block',
    risk,
    reason:
      risk === 'high'
        ? 'files of high risk changed'
        : `code changed: ${counted(change.files.length, 'file')}, ${counted(lines, 'line')}`,
  }
}
