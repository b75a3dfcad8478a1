import { type ExecFileOptions, execFile } from 'node:child_process'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** Where vitest.config.ts keeps what NODE_EXTRA_CA_CERTS was. */
const KEPT = 'DISPATCH_TEST_CA_CERTS'

/** Runs npm. Of all that tests start it alone talks to servers elsewhere, for which a person may have to name a certificate. */
export const npm = (args: readonly string[], options: ExecFileOptions = {}) => {
  const { [KEPT]: certificates, ...env } = process.env
  if (certificates) env['NODE_EXTRA_CA_CERTS'] = certificates
  return run('npm', args, { ...options, env })
}
