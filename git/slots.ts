import { randomBytes } from 'node:crypto'
import { link, lstat, readdir, readFile, rename, rm, unlink } from 'node:fs/promises'
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
  /** The last merge with conflicts left for the agent, kept so that its commit can be asked for again. `brought`: the files that it changed, without a conflict, from how `head` has them. */
  merging?: { onto: string; files: string[]; head?: string; brought?: string[] }
}

const slotFile = (layout: ProjectLayout, slot: string) =>
  join(layout.worktrees, `${slot}.slot.json`)
const CLAIM = '.claim.json'
const claimFile = (layout: ProjectLayout, slot: string) => join(layout.worktrees, `${slot}${CLAIM}`)
const slotOf = (name: string) => name.slice(0, -CLAIM.length)
export const slotPath = (layout: ProjectLayout, slot: string) => join(layout.worktrees, slot)
export const newSlotName = () => `s-${randomBytes(4).toString('hex')}`

/** A file that a crash or a full disk cut short: no bytes, or none that reached the disk. */
const isHollow = (text: string) => /^\0*$/.test(text)

async function readJson<T>(path: string): Promise<T | undefined> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  return text === undefined || isHollow(text) ? undefined : (JSON.parse(text) as T)
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
  const names = (await listNames(layout)).filter((name) => name.endsWith(CLAIM))
  const claims = await Promise.all(
    names.map((name) => readJson<Claim>(join(layout.worktrees, name))),
  )
  return claims.filter((claim) => claim !== undefined)
}

/** Exclusive: of two processes one gets the slot. Written beside and linked: the claim appears with its content, or not at all. */
export async function takeSlot(layout: ProjectLayout, claim: Claim): Promise<boolean> {
  const path = claimFile(layout, claim.slot)
  const fresh = beside(path)
  try {
    await writeWhole(fresh, JSON.stringify(claim))
    await link(fresh, path)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  } finally {
    await rm(fresh, { force: true })
  }
}

const beside = (path: string) => `${path}.${randomBytes(8).toString('hex')}`

/** Slots whose claim was cut short before it said whose it is: nobody was given them, and nobody can take them. */
export async function hollowClaims(layout: ProjectLayout): Promise<string[]> {
  const names = (await listNames(layout)).filter((name) => name.endsWith(CLAIM))
  const claims = await Promise.all(names.map((name) => readJson(join(layout.worktrees, name))))
  return names.filter((_, index) => claims[index] === undefined).map(slotOf)
}

/** Removes such a claim, but not one that somebody made in its place meanwhile. */
export async function dropHollowClaim(layout: ProjectLayout, slot: string): Promise<boolean> {
  const path = claimFile(layout, slot)
  const aside = beside(path)
  try {
    await rename(path, aside)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw error
  }
  const isClaim = (await readJson(aside)) !== undefined
  if (isClaim) await link(aside, path)
  await rm(aside)
  return !isClaim
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
  const taken = new Set(names.filter((name) => name.endsWith(CLAIM)).map(slotOf))
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
