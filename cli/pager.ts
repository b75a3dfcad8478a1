import { spawn } from 'node:child_process'
import { finished } from 'node:stream/promises'
import { lendTerminal } from './lend-terminal.ts'

type Env = Record<string, string | undefined>

/** What a person reads long text with: DISPATCH_PAGER over PAGER over `less`; undefined when they want none. */
function pagerOf(env: Env): string | undefined {
  const named = env['DISPATCH_PAGER'] ?? env['PAGER'] ?? 'less'
  return named === '' || named === 'cat' ? undefined : named
}

/**
 * Shows `text` in the person's pager, which ends by itself when all of it fits. False when there is no pager to show
 * it in: the caller prints it then.
 */
export async function showInPager(text: string, env: Env): Promise<boolean> {
  const pager = pagerOf(env)
  return pager !== undefined && lendTerminal(() => runPager(pager, text, env))
}

async function runPager(pager: string, text: string, env: Env): Promise<boolean> {
  const child = spawn('sh', ['-c', pager], {
    stdio: ['pipe', 'inherit', 'inherit'],
    env: { ...env, LESS: env['LESS'] ?? 'FRX' },
  })
  const ended = new Promise<number>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => resolve(code ?? 0))
  })
  child.stdin.end(text)
  // A person may leave the pager before the end of the text.
  const [code] = await Promise.all([ended, finished(child.stdin).catch(ignoreClosedPipe)])
  return code !== NO_SUCH_COMMAND && code !== NOT_EXECUTABLE
}

/** What `sh` answers. */
const NOT_EXECUTABLE = 126
const NO_SUCH_COMMAND = 127

function ignoreClosedPipe(error: NodeJS.ErrnoException) {
  if (error.code !== 'EPIPE' && error.code !== 'ERR_STREAM_PREMATURE_CLOSE') throw error
}
