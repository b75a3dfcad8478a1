/** One line of the tree: a folder (folders with a single folder in them are drawn as one), or a file. */
export type TreeRow<F> =
  | { kind: 'folder'; path: string; label: string; depth: number; files: number }
  | { kind: 'file'; path: string; label: string; depth: number; file: F }

interface Folder<F> {
  folders: Map<string, Folder<F>>
  files: { name: string; file: F }[]
}

/** Files as a tree: folders first, both by name. `closed` holds the paths of folders whose content is not listed. */
export function fileTreeRows<F extends { path: string }>(
  files: readonly F[],
  closed: ReadonlySet<string> = new Set(),
): TreeRow<F>[] {
  const root: Folder<F> = { folders: new Map(), files: [] }
  for (const file of files) {
    const parts = file.path.split('/')
    const name = parts.pop() ?? ''
    let at = root
    for (const part of parts) {
      const next = at.folders.get(part) ?? { folders: new Map(), files: [] }
      at.folders.set(part, next)
      at = next
    }
    at.files.push({ name, file })
  }
  return rowsOf(root, { path: '', depth: 0, closed })
}

/** The files in the order in which the tree lists them, which is the order of the diff too. */
export const inTreeOrder = <F extends { path: string }>(files: readonly F[]): F[] =>
  fileTreeRows(files).flatMap((row) => (row.kind === 'file' ? [row.file] : []))

function rowsOf<F extends { path: string }>(
  folder: Folder<F>,
  at: { path: string; depth: number; closed: ReadonlySet<string> },
): TreeRow<F>[] {
  const { depth, closed } = at
  const folders = [...folder.folders].sort(byName).flatMap(([name, inner]) => {
    const { label, inside } = joined(name, inner)
    const path = `${at.path}${label}`
    const row = { kind: 'folder' as const, path, label, depth, files: countOf(inside) }
    const below = closed.has(path)
      ? []
      : rowsOf(inside, { path: `${path}/`, depth: depth + 1, closed })
    return [row, ...below]
  })
  const files = [...folder.files]
    .sort((a, b) => byName([a.name], [b.name]))
    .map(({ name, file }) => ({
      ...{ kind: 'file' as const, path: file.path, label: name, depth, file },
    }))
  return [...folders, ...files]
}

function joined<F>(name: string, folder: Folder<F>): { label: string; inside: Folder<F> } {
  let [label, inside] = [name, folder]
  for (;;) {
    const [only, ...more] = inside.folders
    if (!only || more.length > 0 || inside.files.length > 0) return { label, inside }
    label = `${label}/${only[0]}`
    inside = only[1]
  }
}

const countOf = <F>(folder: Folder<F>): number =>
  [...folder.folders.values()].reduce((sum, inner) => sum + countOf(inner), folder.files.length)

const collator = new Intl.Collator('en', { numeric: true })
const byName = ([a]: readonly [string, ...unknown[]], [b]: readonly [string, ...unknown[]]) =>
  collator.compare(a, b)
