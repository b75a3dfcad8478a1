/** From the supervisor to a server that it started ahead of what the server needs. */
export interface StandbyMessage {
  type: 'settings'
  env: Record<string, string>
}

/** Set for a server that is started ahead: it loads its code and then waits for its settings. */
export const STANDBY_VARIABLE = 'DISPATCH_STANDBY'

/**
 * Resolves when this process may begin. One that is started ahead waits for the settings that its supervisor knows only
 * once Postgres and Temporal run; it ends when the supervisor goes away before.
 */
export function standBy(env: Record<string, string | undefined>): Promise<void> {
  if (env[STANDBY_VARIABLE] !== '1' || !process.connected) return Promise.resolve()
  return new Promise((resolve) => {
    const alone = () => process.exit(0)
    process.once('disconnect', alone)
    process.once('message', (message: StandbyMessage) => {
      process.off('disconnect', alone)
      Object.assign(env, message.env)
      resolve()
    })
  })
}
