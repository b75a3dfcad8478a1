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
