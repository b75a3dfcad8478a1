import { Markdown } from '../../components/markdown.tsx'

/** What is otherwise than was agreed, or changed beside the work; each a thing to look at before a decision. */
export function Deviations({ texts }: { texts: readonly string[] }) {
  return (
    <ul className="flex flex-col gap-1.5">
      {texts.map((text) => (
        <li key={text} className="rounded-md bg-warn-soft px-3 py-2">
          <Markdown text={text} />
        </li>
      ))}
    </ul>
  )
}
