import { execFile } from 'node:child_process'
import { systemArguments } from './bwrap-arguments.ts'
import { BWRAP } from './in-sandbox.ts'

const PROBE_MS = 10_000

/** Why no sandbox can be made on this machine, and what to do about it; undefined when one can. Makes one, which takes some 10 ms. */
export function sandboxProblem(program = BWRAP): Promise<string | undefined> {
  if (process.platform !== 'linux')
    return Promise.resolve('Sandboxes are made with bubblewrap, which needs Linux.')
  const args = [...systemArguments(), '--', '/bin/true']
  return new Promise((resolve) => {
    execFile(program, args, { timeout: PROBE_MS, env: {} }, (error, _stdout, stderr) => {
      if (!error) resolve(undefined)
      else if (error.code === 'ENOENT')
        resolve('bubblewrap is not installed. Install it: apt-get install bubblewrap')
      else resolve(refusedBy(stderr.trim() || error.message))
    })
  })
}

const refusedBy = (said: string) =>
  `This machine lets nobody make a sandbox (${said.slice(0, 300)}). Allow user namespaces: ` +
  'sysctl kernel.unprivileged_userns_clone=1, on Ubuntu sysctl kernel.apparmor_restrict_unprivileged_userns=0; ' +
  'in a container also --security-opt seccomp=unconfined --security-opt systempaths=unconfined'
