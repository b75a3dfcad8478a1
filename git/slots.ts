import { randomBytes } from 'node:crypto'
import { lstat, open, readdir, readFile, rename, rm, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { type ProjectLayout, privateDir, writeWhole } from './layout.ts'

/** `<slot>.slot.json`: a worktree that is complete, checked out at `sha`. */
export interface Slot {
  name: string
  /** Name of its administrative folder in the sandbox hub. */
  admin: string
  sha: string
}
/** `<slot>.claim.json`: who has a slot. `active` once the branch is checked out and the path was handed out. */
export interface Claim {
  slot: string
  key: string
  branch: string
  base: string
  active: boolean
  at: string
  /** The process that makes the slot ready, for claims that only it can go on with. */
  pid?: number
  /** A merge with conflicts left for the agent. `brought`: the files that it changed, without a conflict, from how `head` has them. */
  merging?: { onto: string; files: string[]; head?: string; brought?: string[] }
}

const slotFile = (layout: ProjectLayout, slot: string) =>
  join(layout.worktrees, `${slot}.slot.json`)
const claimFile = (layout: ProjectLayout, slot: string) =>
  join(layout.worktrees, `${slot}.claim.json`)
export const slotPath = (layout: ProjectLayout, slot: string) => join(layout.worktrees, slot)
export const newSlotName = () => `s-${randomBytes(4).toString('hex')}`

async function readJson<T>(path: string): Promise<T | undefined> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  if (text === undefined || text === '') return undefined
  return JSON.parse(text) as T
}

export async function listNames(layout: ProjectLayout): Promise<string[]> {
  return readdir(layout.worktrees).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw error
  })
}

export const readSlot = (layout: ProjectLayout, slot: string) =>
  readJson<Slot>(slotFile(layout, slot))
export const writeSlot = (layout: ProjectLayout, slot: Slot) =>
  writeWhole(slotFile(layout, slot.name), JSON.stringify(slot))
export const dropSlot = (layout: ProjectLayout, slot: string) =>
  rm(slotFile(layout, slot), { force: true })
export const writeClaim = (layout: ProjectLayout, claim: Claim) =>
  writeWhole(claimFile(layout, claim.slot), JSON.stringify(claim))
/** Whether it was there: of several who drop it, only one has the slot then. */
export const dropClaim = (layout: ProjectLayout, slot: string): Promise<boolean> =>
  unlink(claimFile(layout, slot)).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return false
      throw error
    },
  )

export async function listClaims(layout: ProjectLayout): Promise<Claim[]> {
  const names = (await listNames(layout)).filter((name) => name.endsWith('.claim.json'))
  const claims = await Promise.all(
    names.map((name) => readJson<Claim>(join(layout.worktrees, name))),
  )
  return claims.filter((claim) => claim !== undefined)
}

/** Exclusive: of two processes one gets the slot. A claim cut short by a crash is an empty file, which holds nothing. */
export async function takeSlot(layout: ProjectLayout, claim: Claim): Promise<boolean> {
  await privateDir(layout.worktrees)
  const path = claimFile(layout, claim.slot)
  const file = await open(path, 'wx', 0o600).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'EEXIST') return undefined
    throw error
  })
  if (!file) return false
  try {
    await file.writeFile(JSON.stringify(claim))
    await file.sync()
  } finally {
    await file.close()
  }
  return true
}

export async function findClaim(layout: ProjectLayout, key: string): Promise<Claim | undefined> {
  return (await listClaims(layout)).find((claim) => claim.key === key)
}

export async function claimAt(
  layout: ProjectLayout,
  worktreePath: string,
): Promise<Claim | undefined> {
  return (await listClaims(layout)).find((claim) => slotPath(layout, claim.slot) === worktreePath)
}

/** Slots that are complete and that nobody has. */
export async function freeSlots(layout: ProjectLayout): Promise<Slot[]> {
  const names = await listNames(layout)
  const taken = new Set(
    names.filter((n) => n.endsWith('.claim.json')).map((n) => n.slice(0, -'.claim.json'.length)),
  )
  const ready = names
    .filter((n) => n.endsWith('.slot.json'))
    .map((n) => n.slice(0, -'.slot.json'.length))
  const slots = await Promise.all(
    ready.filter((name) => !taken.has(name)).map((name) => readSlot(layout, name)),
  )
  return slots.filter((slot) => slot !== undefined)
}

/** Moves something out of the way in one step; the bytes go later (`emptyTrash`). */
export async function moveToTrash(layout: ProjectLayout, path: string): Promise<void> {
  if (!(await lstat(path).catch(() => undefined))) return
  await privateDir(layout.trash)
  await rename(path, join(layout.trash, randomBytes(8).toString('hex')))
}

/** Deletes without following links. Returns a line for each thing that cannot be deleted: a container's root leaves such files. */
export async function emptyTrash(layout: ProjectLayout): Promise<string[]> {
  const names = await readdir(layout.trash).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw error
  })
  const kept: string[] = []
  for (const name of names) {
    const path = join(layout.trash, name)
    await rm(path, { recursive: true, force: true, maxRetries: 3 }).catch((error: Error) =>
      kept.push(`${path} cannot be deleted: ${error.message}`),
    )
  }
  return kept
}
