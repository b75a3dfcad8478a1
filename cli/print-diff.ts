import type { Reply } from '../contracts/api.ts'
import { showHidden } from '../contracts/hidden-characters.ts'
import type { Io, Style } from './io.ts'

export type TaskDiff = Reply<'getTaskDiff'>

/** A patch as lines for this stdout: coloured on a terminal, and nothing in it drives or hides anything there. */
export function patchLines(patch: string, paint: Io['paint']): string[] {
  let inHunk = false
  return patch
    .replace(/\n$/, '')
    .split('\n')
    .map((line) => {
      if (line.startsWith('diff --git ')) inHunk = false
      else if (line.startsWith('@@')) inHunk = true
      const style = lineStyle(line, inHunk)
      const shown = visible(line)
      return style ? paint(style, shown) : shown
    })
}

/** Inside a hunk every line begins with its kind, so `--- a` is a removed `-- a` there. */
function lineStyle(line: string, inHunk: boolean): Style | undefined {
  if (!inHunk) return 'bold'
  if (line.startsWith('@@')) return 'cyan'
  if (line.startsWith('+')) return 'green'
  if (line.startsWith('-')) return 'red'
  return undefined
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it shows
const CONTROLS = /[\x00-\x08\x0b-\x1f\x7f]/g

/** What cannot be seen is part of what is approved: controls are shown as git does (`^M`), all else by its code. */
const visible = (line: string) =>
  showHidden(
    line.replace(CONTROLS, (char) => `^${String.fromCharCode(char.charCodeAt(0) ^ 64)}`),
    (code) => `<${code}>`,
  ).text
