import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { distDir } from '../../config/home.ts'

/** Builds one of the benchmarks' own programs as the product's are built, into `dist/bench/`; returns its path. */
export async function buildProgram(name: string): Promise<string> {
  const outfile = join(distDir(), 'bench', `${name}.js`)
  await build({
    entryPoints: [fileURLToPath(new URL(`./${name}.ts`, import.meta.url))],
    ...{ outfile, bundle: true, platform: 'node', target: 'node20.19', format: 'esm' },
    ...{ packages: 'external', logLevel: 'silent' },
  })
  return outfile
}
