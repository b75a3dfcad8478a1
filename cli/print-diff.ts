import type { Reply } from '../contracts/api.ts'
import type { Io, Style } from './io.ts'
import { sanitize } from './terminal-text.ts'

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

/** Carriage returns and escapes of a changed file are part of what is approved: they are shown by name, as git does. */
const visible = (line: string) =>
  sanitize(line.replaceAll('\r', '^M').replaceAll('\u001b', '^[').replaceAll('\u009b', '<U+009B>'))
