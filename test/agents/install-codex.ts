import { join } from 'node:path'
import { installAgent } from './install.ts'

/** The real Codex that the tests drive: the native binary inside the platform package. */
export const CODEX_VERSION = '0.171.0'

/** Rust's name of the platform; the package's binary lies in a folder of that name. */
const TARGETS: Readonly<Record<string, string>> = {
  'linux-x64': 'x86_64-unknown-linux-musl',
  'linux-arm64': 'aarch64-unknown-linux-musl',
  'darwin-x64': 'x86_64-apple-darwin',
  'darwin-arm64': 'aarch64-apple-darwin',
}

/** The path of the real `codex` binary; throws where there is none for this platform. */
export async function installCodex(log?: (line: string) => void): Promise<string> {
  const platform = `${process.platform}-${process.arch}`
  const target = TARGETS[platform]
  if (target === undefined) throw new Error(`there is no Codex for ${platform}`)
  return installAgent(
    {
      title: 'Codex',
      version: CODEX_VERSION,
      what: `@openai/codex@${CODEX_VERSION}-${platform}`,
      folder: `codex-${CODEX_VERSION}`,
      binary: join('node_modules', '@openai', 'codex', 'vendor', target, 'bin', 'codex'),
      megabytes: 404,
    },
    log,
  )
}
