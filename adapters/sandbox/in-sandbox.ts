import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Sandbox } from '../../contracts/agent.ts'
import { listProcesses } from '../process-tree.ts'
import { bwrapArguments, type Command, GATE_INSIDE } from './bwrap-arguments.ts'
import { openGate } from './gate.ts'

export const BWRAP = '/usr/bin/bwrap'

/** Any port: the sandbox has a loopback of its own. */
const PROXY_PORT = '3128'
const PROXY = `http://127.0.0.1:${PROXY_PORT}`
const PROXY_VARIABLES = {
  ...{ HTTP_PROXY: PROXY, HTTPS_PROXY: PROXY, http_proxy: PROXY, https_proxy: PROXY },
  ...{ NO_PROXY: '', no_proxy: '', NODE_USE_ENV_PROXY: '1' },
}

/** Beside the running file; from the sources, as tests run, the one that was built of them. */
function builtRelay(): string {
  const [beside = '', built = ''] = ['./sandbox-relay.cjs', '../../dist/sandbox-relay.cjs'].map(
    (path) => fileURLToPath(new URL(path, import.meta.url)),
  )
  return existsSync(beside) ? beside : built
}

export interface Sandboxed {
  command: string
  args: readonly string[]
  env: Readonly<Record<string, string>>
  /** After the command has ended. */
  close(): void
}

/**
 * The command as one that bubblewrap runs in the sandbox, and its way to the network, where it has one, opened. `relay`: its built file, by default
 * beside the running one.
 */
export function inSandbox(given: Command, sandbox: Sandbox, relay = builtRelay()): Sandboxed {
  const { network } = sandbox
  if (network === 'none') {
    const args = bwrapArguments(given, sandbox)
    return { command: BWRAP, args, env: given.env, close: () => undefined }
  }
  const socket = join(given.env['TMPDIR'] ?? '', 'gate.sock')
  const { never } = sandbox
  const gate = openGate({ socket, network, hosts: sandbox.needs?.hosts ?? [], never })
  const command = {
    ...given,
    command: process.execPath,
    args: [relay, GATE_INSIDE, PROXY_PORT, given.command, ...given.args],
  }
  const programs = [...(sandbox.needs?.programs ?? []), given.command]
  const needs = { own: [], hosts: [], ...sandbox.needs, programs }
  return {
    command: BWRAP,
    args: bwrapArguments(command, { ...sandbox, needs }, { socket, relay }),
    env: { ...given.env, ...PROXY_VARIABLES },
    close: gate.close,
  }
}

/** The command itself, of which `bwrap` shows only its own process: bwrap, its first process in the sandbox, and then the command. */
export function commandInside(bwrap: number): number | undefined {
  const all = listProcesses()
  const first = all.find(({ parent }) => parent === bwrap)
  return first && all.find(({ parent }) => parent === first.pid)?.pid
}
