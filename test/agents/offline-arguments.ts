/** Offline it is Claude Code that works, whether that is said or not: the built-in agent needs no model to be played for it. */
export function withClaude(args: readonly string[]): string[] {
  const named = args.findIndex((arg) => /^--agent(=|$)/.test(arg))
  if (named === -1) return ['--agent', 'claude', ...args]
  const agent = args[named]?.split('=')[1] ?? args[named + 1]
  if (agent === 'claude') return [...args]
  throw new Error(`--offline plays the model of Claude Code: leave out --offline for ${agent}.`)
}
