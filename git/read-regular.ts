import { constants, open } from 'node:fs/promises'

const FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK
/** No file of that name that could be read: absent, a link, a socket, somebody else's. */
const NONE = ['ENOENT', 'ENOTDIR', 'ELOOP', 'ENXIO', 'EACCES']

/**
 * The first `bytes` of a regular file; undefined when there is none. For every place where an agent can make files: waiting for
 * the writer of a named pipe would never end, a link may lead anywhere, and what it leads to may never end either.
 */
export async function readRegular(
  path: string | Buffer,
  bytes: number,
): Promise<Buffer | undefined> {
  const file = await open(path, FLAGS).catch((error: NodeJS.ErrnoException) => {
    if (NONE.includes(error.code ?? '')) return undefined
    throw error
  })
  if (!file) return undefined
  try {
    const info = await file.stat()
    if (!info.isFile()) return undefined
    const content = Buffer.alloc(Math.min(info.size, bytes))
    const { bytesRead } = await file.read(content, 0, content.length, 0)
    return content.subarray(0, bytesRead)
  } finally {
    await file.close()
  }
}

/** The same as text. */
export async function readRegularText(path: string, bytes: number): Promise<string | undefined> {
  return (await readRegular(path, bytes))?.toString('utf8')
}
