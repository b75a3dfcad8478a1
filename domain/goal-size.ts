/** How much a person's text asks for; Auto Model takes a quicker model for little and spares none for much. */
export type GoalSize = 'small' | 'usual' | 'large'

/** The size, and the words or the length that gave it away (empty: nothing did, and it counts as usual). */
export interface SizeReading {
  size: GoalSize
  because: string
}

/** More than a paragraph is not one small change, whatever its words. */
const SHORT = 200
const LONG = 1500
/** So many listed wishes are a large goal however briefly they are said. */
const MANY = 5

const SMALL_WORDS =
  /^(rename|reword)\b|\b(fix|correct|mend)\b.{0,40}\b(typos?|spelling|wording|capitali[sz]ation|indentation|whitespace|(dead|broken) links?)\b|\bone[- ]lin(er|e (change|fix))\b/
const LARGE_WORDS =
  /\b(migrat(e|es|ing|ion of)|rewrit(e|es|ing)|re-?architect\w*|from scratch|(whole|entire|across the) (\w+ )?(app|codebase|project|repository|system)|(build|create|write|introduce|replace|split|add|port)\b.{0,60}\b(modules?|systems?|service|engine|framework|platform))\b/
/** A line of a list, whatever marks it. */
const LISTED = /^\s*([-*•]|\d+[.)])\s+\S/gm

/**
 * Reads how much is asked for from what is known before there is a spec: how long the text is, how many things it lists, and words that
 * give a size away. Where these disagree it is neither small nor large.
 */
export function readSize(text: string): SizeReading {
  const said = text.trim().toLowerCase()
  const listed = said.match(LISTED)?.length ?? 0
  const small = SMALL_WORDS.exec(said)?.[0]
  if (listed >= MANY) return { size: 'large', because: `${listed} things are asked for` }
  if (said.length > LONG) return { size: 'large', because: `${said.length} characters` }
  const large = LARGE_WORDS.exec(said)?.[0]
  if (large !== undefined && small === undefined) return { size: 'large', because: `"${large}"` }
  const isOne = listed <= 1 && said.length <= SHORT
  if (small !== undefined && large === undefined && isOne)
    return { size: 'small', because: `"${small}"` }
  return { size: 'usual', because: '' }
}
