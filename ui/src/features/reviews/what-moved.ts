import type { Review } from '../../../../contracts/schemas.ts'
import { plural } from '../../lib/format.ts'

/** What is another thing in the newer review of the same work than in the one that the person looks at, in words. */
export function whatMoved(seen: Review, now: Review): string[] {
  const moved: string[] = []
  if (seen.head !== now.head)
    moved.push(`The commit is ${short(now.head)}, here it is ${short(seen.head)}.`)
  if (seen.base !== now.base)
    moved.push(`It stands on ${short(now.base)}, here on ${short(seen.base)}.`)
  const files = changedFiles(seen, now)
  if (files.length > 0)
    moved.push(
      `${plural(files.length, 'file')} changed: ${files.slice(0, 5).join(', ')}${files.length > 5 ? '…' : ''}`,
    )
  const before = new Map(seen.checklist.map((item) => [item.id, item.result]))
  const judged = now.checklist.filter((item) => before.get(item.id) !== item.result)
  if (judged.length > 0) moved.push(`${plural(judged.length, 'checklist item')} judged anew.`)
  if (seen.spec && now.spec && seen.spec.version !== now.spec.version)
    moved.push(`The spec is version ${now.spec.version}, here it is ${seen.spec.version}.`)
  return moved
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
