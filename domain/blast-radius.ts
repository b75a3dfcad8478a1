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
    /(^|\/)\.github\/|(^|\/)\.gitlab-ci|(^|\/)Jenkinsfile|(^|\/)\.circleci\//i,
    'runs in continuous integration',
  ],
  [
    /(^|\/)(Dockerfile|docker-compose|compose\.ya?ml)|(^|\/)(terraform|k8s|helm|deploy)\//i,
    'changes how it is deployed',
  ],
  [
    /(^|\/)(package\.json|pyproject\.toml|Cargo\.toml|go\.mod|Gemfile|pom\.xml|build\.gradle)$/i,
    'changes dependencies or scripts',
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
const LOW = /\.(md|mdx|txt|rst|adoc)$|(^|\/)(docs?|notes)\/|(^|\/)(LICENSE|CHANGELOG|README)/i
const TEST = /(^|\/)(tests?|__tests__|spec)\/|\.(test|spec)\.[a-z]+$/i

/** How risky a change to one file is, and why. Unknown means at least medium. */
export function judgeFile(file: ChangedFile): JudgedFile {
  const notes: string[] = []
  for (const [pattern, why] of HIGH) {
    if (pattern.test(file.path) || (file.oldPath !== undefined && pattern.test(file.oldPath)))
      notes.push(why)
  }
  if (file.suspicious.length > 0) notes.push(`hidden characters: ${file.suspicious.join(', ')}`)
  if (file.symlink) notes.push('is a symbolic link')
  if (file.submodule) notes.push('changes a submodule')
  if (file.modeChanged) notes.push('changes the file mode')
  if (file.binary) notes.push('is binary')
  if (file.status === 'deleted') notes.push('deletes a file')
  if (notes.length > 0) return { risk: 'high', notes }
  if (LOW.test(file.path)) return { risk: 'low', notes: ['documentation'] }
  if (TEST.test(file.path)) return { risk: 'medium', notes: ['a test'] }
  return { risk: 'medium', notes: [] }
}

const ORDER: readonly Risk[] = ['low', 'medium', 'high']
const worst = (risks: readonly Risk[]): Risk =>
  ORDER[Math.max(0, ...risks.map((r) => ORDER.indexOf(r)))] ?? 'low'

/**
 * The tier of a task's review from what it changed. Documentation alone goes on by itself; everything that runs is
 * looked at by a person. A mistake here must cost a click, never a merge.
 */
export function reviewTier(change: {
  files: readonly ChangedFile[]
  /** Set when the diff was cut, when verify has warnings or failures, or when the agent deviated. */
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
        : `code changed: ${change.files.length} files, ${lines} lines`,
  }
}
