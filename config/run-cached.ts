import { createHash } from 'node:crypto'
import {
  accessSync,
  constants as fs,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import Module, { createRequire } from 'node:module'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { cachedDataVersionTag } from 'node:v8'
import { constants, Script } from 'node:vm'

const HASH_BYTES = 32

/**
 * Runs a built program, a CommonJS file, with what V8 compiled of it in earlier starts: compiling is a third of the start
 * of a server. It is kept in `<program>.cache`, behind a hash of it and of the program. Another Node, other flags, another
 * build or damage make it anew when the program next ends well (https://nodejs.org/api/vm.html#scriptcreatecacheddata).
 */
export function runCached(program: URL): void {
  const file = fileURLToPath(program)
  const source = readFileSync(file)
  const kept = readKept(`${file}.cache`, source)
  const script = new Script(Module.wrap(source.toString()), {
    filename: file,
    ...(kept ? { cachedData: kept } : {}),
    importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
  })
  // one that failed early has compiled little of itself
  if (!kept || script.cachedDataRejected)
    process.once('exit', (code) => {
      if (code === 0) keep(`${file}.cache`, source, script)
    })
  const module = { exports: {} }
  script.runInThisContext()(module.exports, createRequire(file), module, file, dirname(file))
}

/** V8 compares the length of the source and its own flags, and runs whatever else it is given: damaged code too. */
const hashOf = (source: Buffer, data: Buffer) =>
  createHash('sha256').update(`${cachedDataVersionTag()}`).update(source).update(data).digest()

function readKept(path: string, source: Buffer): Buffer | undefined {
  try {
    const file = readFileSync(path)
    const data = file.subarray(HASH_BYTES)
    return file.subarray(0, HASH_BYTES).equals(hashOf(source, data)) ? data : undefined
  } catch {
    return undefined // the first start
  }
}

/** Whole or not at all, for others start meanwhile. A program that ends well does so whether or not this can be kept. */
function keep(path: string, source: Buffer, script: Script): void {
  const temporary = `${path}.${process.pid}`
  try {
    accessSync(dirname(path), fs.W_OK) // installed by somebody else: nothing is made in vain
    const data = script.createCachedData()
    writeFileSync(temporary, Buffer.concat([hashOf(source, data), data]))
    renameSync(temporary, path)
  } catch {
    // it starts as it did; what is left of a full disk is not
    try {
      rmSync(temporary, { force: true })
    } catch {
      // nor can that be removed
    }
  }
}
