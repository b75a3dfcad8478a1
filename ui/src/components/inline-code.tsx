/** A line of text with what stands between backticks set as code; everything else is as it was written. */
export function InlineCode({ text }: { text: string }) {
  return text.split(/`([^`\n]+)`/).map((part, at) =>
    // biome-ignore lint/suspicious/noArrayIndexKey: pieces of a text have no identity but their place
    at % 2 === 0 ? part : <code key={at}>{part}</code>,
  )
}
