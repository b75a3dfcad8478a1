/** What an agent's sessions of one working folder are kept under where the agent itself does not keep them apart. */
export function nameOfFolder(cwd: string): string {
  // not imported: every runner would load it, which takes 3 ms, and few need it
  const { createHash } = process.getBuiltinModule('node:crypto')
  return `dispatch-${createHash('sha256').update(cwd).digest('hex').slice(0, 16)}`
}
