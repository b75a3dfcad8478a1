import { createHash } from 'node:crypto'
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import Module, { createRequire } from 'node:module'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { constants, Script } from 'node:vm'

const KEY_BYTES = 20

/**
 * Runs a built program, a CommonJS file, with what V8 compiled of it in earlier starts: compiling is a third of the start
 * of a server. It is kept in `<program>.cache`, in front of it the hash of what it was made from. Another Node, other
 * flags or another build make it anew when the program ends (https://nodejs.org/api/vm.html#scriptcreatecacheddata).
 */
export function runCached(program: URL): void {
  const file = fileURLToPath(program)
  const source = readFileSync(file)
  const key = createHash('sha1').update(process.version).update(source).digest()
  const kept = readKept(`${file}.cache`, key)
  const script = new Script(Module.wrap(source.toString()), {
    filename: file,
    ...(kept ? { cachedData: kept } : {}),
    importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
  })
  if (!kept || script.cachedDataRejected)
    process.once('exit', () =>
      keep(`${file}.cache`, Buffer.concat([key, script.createCachedData()])),
    )
  const module = { exports: {} }
  script.runInThisContext()(module.exports, createRequire(file), module, file, dirname(file))
}

/** V8 itself compares no more than the length of the source. */
function readKept(path: string, key: Buffer): Buffer | undefined {
  try {
    const kept = readFileSync(path)
    return kept.subarray(0, KEY_BYTES).equals(key) ? kept.subarray(KEY_BYTES) : undefined
  } catch {
    return undefined // the first start
  }
}

/** Whole or not at all, for others start meanwhile. */
function keep(path: string, data: Buffer): void {
  const temporary = `${path}.${process.pid}`
  try {
    writeFileSync(temporary, data)
    renameSync(temporary, path)
  } catch {
    // installed by somebody else, or the disk is full: it starts as it did
    rmSync(temporary, { force: true })
  }
}
