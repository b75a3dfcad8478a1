/**
 * When two corrections say the same in other words. What counts are the words that carry meaning: fillers are left out, endings are
 * cut, and a word after "not", "never", "instead of" and the like, up to the end of its clause, is another word than without it.
 */

/** So many corrections alike are a habit worth writing down. */
export const ALIKE_ENOUGH = 3

/** A habit is said in a sentence or two: of a longer text its beginning is compared, so that none takes long. */
const COMPARED = 400

/** True when two texts ask for the same. Numbers that differ make them different whatever else they share. */
export const alike = (one: string, other: string): boolean => likeTo(one)(other)

/** `alike` with the same text time after time. */
export function likeTo(text: string): (other: string) => boolean {
  const meaning = read(text)
  return (other) => sameMeaning(meaning, read(other))
}

/** The text that stands best for all of them: the one that most of the others are like, the newest of several. */
export function mostTypical(texts: readonly string[]): string {
  const meanings = texts.map(read)
  const likeness = meanings.map((one) => meanings.filter((other) => sameMeaning(one, other)).length)
  return texts[likeness.lastIndexOf(Math.max(...likeness))] ?? ''
}

interface Meaning {
  text: string
  words: ReadonlySet<string>
}

function read(text: string): Meaning {
  const beginning = plain(text.slice(0, COMPARED))
  return { text: beginning, words: meaningOf(beginning) }
}

function sameMeaning(one: Meaning, other: Meaning): boolean {
  const [a, b] = [one.words, other.words]
  if (a.size === 0 || b.size === 0) return one.text === other.text
  const common = [...a].filter((word) => b.has(word)).length
  const [smaller, larger] = [Math.min(a.size, b.size), Math.max(a.size, b.size)]
  if (common === larger) return true
  if (!sameNumbers(a, b) || opposed(a, b)) return false
  if (common < 2) return false
  const dice = (2 * common) / (a.size + b.size)
  return dice >= 0.7 || (smaller >= 3 && common / smaller >= 0.8)
}

const FILLERS = new Set(
  `a an the this that these those it its is are be was were to of in on at for with from by as and or so do does did you your
  please should must have has can could would will shall i we me us our always just really again here there use using used make
  sure need want like when then than also`.split(/\s+/),
)
const NEGATIONS = new Set(
  'not no never without avoid dont doesnt didnt cannot cant wont shouldnt mustnt stop nor neither'.split(
    ' ',
  ),
)
/** Words that turn what follows into what is not wanted, written as one. */
const PHRASES: readonly [RegExp, string][] = [
  [/\binstead of\b/g, ' not '],
  [/\brather than\b/g, ' not '],
  [/\bdo not\b/g, ' not '],
]
/** Here a negation ends. */
const CLAUSE_END = /[.,;:!?()\n]|\bbut\b|\binstead\b/

/** The words that carry meaning, a negated one with `!` before it. */
function meaningOf(beginning: string): ReadonlySet<string> {
  const words = PHRASES.reduce((rest, [phrase, word]) => rest.replace(phrase, word), beginning)
  return new Set(words.split(CLAUSE_END).flatMap(clauseWords))
}

function clauseWords(clause: string): string[] {
  let negated = false
  return wordsOf(clause).flatMap((word) => {
    if (NEGATIONS.has(word)) {
      negated = true
      return []
    }
    if (FILLERS.has(word)) return []
    return [`${negated ? '!' : ''}${stem(word)}`]
  })
}

const SEGMENTER = new Intl.Segmenter(undefined, { granularity: 'word' })

function wordsOf(text: string): string[] {
  return [...SEGMENTER.segment(text)]
    .filter(({ isWordLike }) => isWordLike)
    .map(({ segment }) => segment)
}

/** Lower case, without accents and apostrophes. */
const plain = (text: string) =>
  text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase().replace(/['’`]/g, '').trim()

/** Plurals and verb forms of English, roughly; a word that gets too short stays whole. */
function stem(word: string): string {
  const cut = word.replace(/(?:ies|ing|ed|es|s|e|y)$/, '')
  return cut.length >= 3 && !word.endsWith('ss') ? cut : word
}

function sameNumbers(a: ReadonlySet<string>, b: ReadonlySet<string>): boolean {
  const numbers = (words: ReadonlySet<string>) =>
    [...words].filter((word) => /\d/.test(word)).sort()
  return numbers(a).join() === numbers(b).join()
}

/** One wants what the other does not. */
const opposed = (a: ReadonlySet<string>, b: ReadonlySet<string>) =>
  [...a].some((word) => b.has(word.startsWith('!') ? word.slice(1) : `!${word}`))
