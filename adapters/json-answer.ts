/**
 * The structured answer in the last words of an agent that cannot be made to answer in a shape: the whole text as JSON, else its last
 * ```json block, else what stands between its first `{` and its last `}`. Undefined when there is none; the shape is checked elsewhere.
 */
export function jsonAnswer(text: string): unknown {
  const blocks = [...text.matchAll(/```(?:json)?[ \t]*\n([\s\S]*?)```/g)].map(
    ([, inside]) => inside,
  )
  const braces = text.slice(text.indexOf('{'), text.lastIndexOf('}') + 1)
  for (const candidate of [text, ...blocks.reverse(), braces]) {
    const found = parse(candidate ?? '')
    if (found !== undefined) return found
  }
  return undefined
}

/** What an agent is told that gets its answer's shape in no other way. */
export function withShape(prompt: string, schema: Record<string, unknown> | undefined): string {
  if (!schema) return prompt
  const shape = JSON.stringify(schema)
  const told = prompt.includes(shape) ? '' : ` It must be valid against this JSON Schema:\n${shape}`
  return `${prompt}\n\nWhen the work is done, your last message is the answer: one JSON document, and nothing else.${told}`
}

/** Undefined for anything but an object or a list. */
function parse(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? value : undefined
  } catch {
    return undefined
  }
}
