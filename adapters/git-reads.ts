/**
 * The commands of git with which an agent looks around where it may only read: one rule for all agents, as sources of regular expressions,
 * since some know a rule only as a pattern of their policy. A command is one plain line: these verbs, these characters, and nothing that acts.
 */
export const GIT_READS =
  'blame|diff|grep|log|ls-files|ls-tree|merge-base|rev-list|rev-parse|show|status'

/** Nothing that a shell would expand, redirect or chain; for a character class. */
export const PLAIN = String.raw`\w ./:=@,^~+%-`

/**
 * Options, also shortened as git allows and behind others in one word (`--ope=sh`, `-nOsh`), that write a file, start a program or ask one
 * for a signature.
 */
export const GIT_ACTS = String.raw`(?: (?:--o(?!neline)|--ext|--text|--show-s|-\w*O)|%G)`

/**
 * Settings that lie over a repository's own, so that what it names there is not started by a command that looks. The last: a bare
 * repository may be a folder of the project like any other, with a config that came with a clone; in such a folder git would obey it.
 */
export const NO_PROGRAMS: readonly (readonly [key: string, value: string])[] = [
  ['core.fsmonitor', 'false'],
  ['core.hooksPath', '/dev/null'],
  ['log.showSignature', 'false'],
  ...['gpg', 'gpg.openpgp', 'gpg.ssh', 'gpg.x509'].map(
    (name) => [`${name}.program`, 'false'] as const,
  ),
  ['safe.bareRepository', 'explicit'],
]

/** The same as variables, for an agent whose commands cannot be changed before they run. */
export const NO_PROGRAMS_VARIABLES: Readonly<Record<string, string>> = Object.fromEntries([
  ['GIT_CONFIG_COUNT', String(NO_PROGRAMS.length)],
  ...NO_PROGRAMS.flatMap(([key, value], index) => [
    [`GIT_CONFIG_KEY_${index}`, key],
    [`GIT_CONFIG_VALUE_${index}`, value],
  ]),
])
