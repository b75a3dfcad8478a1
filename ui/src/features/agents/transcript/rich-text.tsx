import { memo, type ReactNode } from 'react'

const FENCE = /^\s*```/
const INLINE = /(`[^`\n]+`|\*\*[^*\n]+\*\*)/

/**
 * What an agent says, as it is being said: paragraphs, code between fences, `code` and **strong**. Markdown proper would have
 * to be parsed anew with every piece of a word. `fenced`: it begins inside of a fence.
 */
export const RichText = memo(function RichText(props: {
  text: string
  fenced: boolean
  find: string
}) {
  const parts = partsOf(props.text, props.fenced)
  return parts.map(({ code, text }, index) =>
    code ? (
      <pre
        // biome-ignore lint/suspicious/noArrayIndexKey: parts are only added at the end
        key={index}
        className="my-1 overflow-x-auto rounded-md border bg-sunken px-3 py-2 font-mono text-mono"
      >
        <Marked text={text} find={props.find} />
      </pre>
    ) : (
      // biome-ignore lint/suspicious/noArrayIndexKey: parts are only added at the end
      <p key={index} dir="auto" className="break-words whitespace-pre-wrap">
        {text.split(INLINE).map((piece, at) => inline(piece, at, props.find))}
      </p>
    ),
  )
})

function inline(piece: string, key: number, find: string): ReactNode {
  if (piece.length > 2 && piece.startsWith('`') && piece.endsWith('`'))
    return (
      <code key={key} className="rounded-sm bg-hover px-1 font-mono text-12">
        <Marked text={piece.slice(1, -1)} find={find} />
      </code>
    )
  if (piece.length > 4 && piece.startsWith('**') && piece.endsWith('**'))
    return (
      <strong key={key} className="font-semibold">
        <Marked text={piece.slice(2, -2)} find={find} />
      </strong>
    )
  return <Marked key={key} text={piece} find={find} />
}

function partsOf(text: string, fenced: boolean): { code: boolean; text: string }[] {
  const parts: { code: boolean; text: string }[] = []
  let code = fenced
  let lines: string[] = []
  const flush = () => {
    const joined = lines.join('\n')
    if (joined.trim() !== '')
      parts.push({ code, text: code ? joined : joined.replace(/^\n+|\s+$/g, '') })
    lines = []
  }
  for (const line of text.split('\n')) {
    if (FENCE.test(line)) {
      flush()
      code = !code
    } else lines.push(line)
  }
  flush()
  return parts
}

/** Text with what is searched for marked in it. */
export function Marked({ text, find }: { text: string; find: string }) {
  if (find === '') return text
  const parts: ReactNode[] = []
  const lower = text.toLowerCase()
  const wanted = find.toLowerCase()
  let from = 0
  for (let at = lower.indexOf(wanted); at !== -1; at = lower.indexOf(wanted, from)) {
    parts.push(text.slice(from, at))
    from = at + wanted.length
    parts.push(
      <mark key={at} className="rounded-[2px] bg-warn-soft text-warn">
        {text.slice(at, from)}
      </mark>,
    )
  }
  return parts.length === 0 ? text : [...parts, text.slice(from)]
}
