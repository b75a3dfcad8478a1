import type { Review } from '../../../../contracts/schemas.ts'
import { plural } from '../../lib/format.ts'

/** What is another thing now than what the person looks at, in words. Empty when the decision would still be about the same. */
export function whatMoved(seen: Review, now: Review): string[] {
  if (seen.hash === now.hash) return []
  const moved: string[] = []
  if (seen.head !== now.head)
    moved.push(`The commit is ${short(now.head)}, it was ${short(seen.head)}.`)
  if (seen.base !== now.base) moved.push(`It stands on ${short(now.base)} now.`)
  const files = changedFiles(seen, now)
  if (files.length > 0)
    moved.push(
      `${plural(files.length, 'file')} changed: ${files.slice(0, 5).join(', ')}${files.length > 5 ? '…' : ''}`,
    )
  const before = new Map(seen.checklist.map((item) => [item.id, item.result]))
  const judged = now.checklist.filter((item) => before.get(item.id) !== item.result)
  if (judged.length > 0) moved.push(`${plural(judged.length, 'checklist item')} judged anew.`)
  if (seen.spec && now.spec && seen.spec.version !== now.spec.version)
    moved.push(`The spec is version ${now.spec.version}, it was ${seen.spec.version}.`)
  return moved.length > 0 ? moved : ['What it is about is not what you see.']
}

const short = (sha: string | null) => sha?.slice(0, 8) ?? 'nothing'

function changedFiles(seen: Review, now: Review): string[] {
  const lines = (review: Review) =>
    new Map(
      review.files.map((file) => [
        file.path,
        `${file.status} +${file.additions} −${file.deletions}`,
      ]),
    )
  const [before, after] = [lines(seen), lines(now)]
  return [...new Set([...before.keys(), ...after.keys()])].filter(
    (path) => before.get(path) !== after.get(path),
  )
}
