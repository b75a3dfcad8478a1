/** What this needs to know of a node of a Markdown tree. */
interface Node {
  type: string
  value?: string
  title?: string | null
  meta?: string | null
  align?: readonly unknown[]
  children?: Node[]
  position?: { start: { offset?: number }; end: { offset?: number } }
}

/** They are drawn as nothing, or far from where they stand; an image would tell its server that somebody reads this. */
const UNSEEN = new Set([
  ...['html', 'image', 'imageReference', 'definition', 'footnoteDefinition', 'footnoteReference'],
])
/** Where text stands in blocks of its own. */
const HOLDS_BLOCKS = new Set(['root', 'blockquote', 'listItem'])

/** A remark plugin: what Markdown would hide is shown as it was written, because a person approves what is read. */
export function literalSource() {
  return (tree: Node, file: { value: unknown }) => showUnseen(tree, String(file.value))
}

function showUnseen(parent: Node, source: string): void {
  parent.children = parent.children?.flatMap((node) => {
    if (!hides(node)) {
      showUnseen(node, source)
      return [node]
    }
    const { start, end } = node.position ?? { start: {}, end: {} }
    const type = HOLDS_BLOCKS.has(parent.type) ? 'code' : 'text'
    const shown = { type, value: source.slice(start.offset, end.offset) }
    // links are made of it, so it stays beside its words
    return node.type === 'definition' ? [shown, node] : [shown]
  }) as Node[]
}

/** Titles of links, words after a fence, and cells that no column is for would not be read either. */
function hides({ type, title, meta, align, children = [] }: Node): boolean {
  const tooWide = align && children.some((row) => (row.children?.length ?? 0) > align.length)
  return UNSEEN.has(type) || Boolean(title || meta || tooWide)
}
