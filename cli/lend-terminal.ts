/**
 * Runs work during which another program has the terminal, such as an editor or a pager: Ctrl-C is for that program
 * then, and must not end this one under it.
 */
export async function lendTerminal<T>(work: () => Promise<T>): Promise<T> {
  const ours = process.listeners('SIGINT')
  const ignore = () => undefined
  process.on('SIGINT', ignore)
  for (const listener of ours) process.off('SIGINT', listener)
  try {
    return await work()
  } finally {
    for (const listener of ours) process.on('SIGINT', listener)
    process.off('SIGINT', ignore)
  }
}
