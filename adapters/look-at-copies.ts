import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Detection, OtherCopy } from '../contracts/agent.ts'
import { askProgram } from './ask-program.ts'
import type { Env } from './expand-place.ts'
import type { FoundProgram, ProgramChoice } from './find-program.ts'

/** More copies than these are not asked for their version. */
const MAX_ASKED = 4
const LEVELS = 6

/** What detection tells of a chosen program besides its version. */
export async function copiesOf(
  { chosen, others, problem }: ProgramChoice,
  name: string,
  env: Env,
): Promise<Pick<Detection, 'realpath' | 'place' | 'owner' | 'others' | 'refused'>> {
  const told = others.slice(0, MAX_ASKED).map((copy) => otherCopy(copy, name, env))
  const untold = others.slice(MAX_ASKED).map((copy) => otherCopy(copy, name))
  const all = await Promise.all([...told, ...untold])
  const more = {
    ...(all.length > 0 ? { others: all } : {}),
    ...(problem === undefined ? {} : { refused: problem }),
  }
  if (!chosen) return more
  const { realpath, place, owner } = chosen
  return { realpath, place, owner, ...more }
}

/** One that is not trusted is not even asked who it is. */
async function otherCopy(found: FoundProgram, name: string, env?: Env): Promise<OtherCopy> {
  const { path, place, realpath, unsafe } = found
  const packaged = packagedVersion(realpath, name)
  const asked =
    packaged === undefined && unsafe === undefined && env
      ? /\d+\.\d+\.\d+/.exec((await askProgram(path, ['--version'], env)).said)?.[0]
      : undefined
  const version = packaged ?? asked
  const why = unsafe ?? 'another one comes first'
  return { path, place, why, ...(version === undefined ? {} : { version }) }
}

/** The version of the npm package that the program is in. */
function packagedVersion(realpath: string, name: string): string | undefined {
  let folder = dirname(realpath)
  for (let level = 0; level < LEVELS; level += 1) {
    const { bin, version } = readPackage(join(folder, 'package.json'))
    const has = typeof bin === 'object' && bin !== null && Object.hasOwn(bin, name)
    if (has && typeof version === 'string') return version
    folder = dirname(folder)
  }
  return undefined
}

function readPackage(file: string): { bin?: unknown; version?: unknown } {
  try {
    const data: unknown = JSON.parse(readFileSync(file, 'utf8'))
    return typeof data === 'object' && data !== null ? data : {}
  } catch {
    // no package: then its version is not told by one
    return {}
  }
}
