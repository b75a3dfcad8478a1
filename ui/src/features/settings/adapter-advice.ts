/** Advice ends in its command, after a colon or between backticks. */
export function splitAdvice(text: string): { words: string; command: string | undefined } {
  const quoted = /`([^`]+)`/.exec(text)
  if (quoted) return { words: text.replaceAll('`', ''), command: quoted[1] }
  const at = text.lastIndexOf(': ')
  const command = at === -1 ? '' : text.slice(at + 2).trim()
  if (!/^[a-z][\w.@/-]*( [^\s,]+)+$/.test(command) || command.endsWith('.'))
    return { words: text, command: undefined }
  return { words: `${text.slice(0, at)}:`, command }
}
