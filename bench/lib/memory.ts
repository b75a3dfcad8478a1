import { readdirSync, readFileSync } from 'node:fs'

/** Bytes of a process: `rss` counts shared pages whole, `pss` its share of them. Linux only. */
export function memoryOf(pid: number): { rss: number; pss: number } {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')
  const kb = (name: string) =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? 0)
  return { rss: kb('Rss') * 1024, pss: kb('Pss') * 1024 }
}

/** The processes and all their descendants. */
export function treeOf(roots: readonly number[]): number[] {
  const children = new Map<number, number[]>()
  for (const name of readdirSync('/proc')) {
    const pid = Number(name)
    const parent = Number.isInteger(pid) ? parentOf(pid) : undefined
    if (parent !== undefined) children.set(parent, [...(children.get(parent) ?? []), pid])
  }
  const found = new Set<number>()
  const add = (pid: number) => {
    if (found.has(pid)) return
    found.add(pid)
    for (const child of children.get(pid) ?? []) add(child)
  }
  for (const pid of roots) add(pid)
  return [...found]
}

function parentOf(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])
  } catch {
    return undefined // it ended between the two reads
  }
}

export interface MemoryWatch {
  /** The highest sums of the tree that were seen, in MB; stops looking. */
  peak(): { pss: number; rss: number }
}

const SAMPLE_MS = 50

/** Looks at the process and the tree below it again and again. */
export function watchMemory(root: number): MemoryWatch {
  const highest = { pss: 0, rss: 0 }
  const look = () => {
    const now = treeOf([root]).map(memoryOfLiving)
    for (const key of ['pss', 'rss'] as const) {
      const sum = now.reduce((all, memory) => all + memory[key], 0)
      highest[key] = Math.max(highest[key], sum / 2 ** 20)
    }
  }
  const timer = setInterval(look, SAMPLE_MS)
  return {
    peak() {
      clearInterval(timer)
      return highest
    },
  }
}

function memoryOfLiving(pid: number): { rss: number; pss: number } {
  try {
    return memoryOf(pid)
  } catch {
    return { rss: 0, pss: 0 } // it ended between the two looks
  }
}
