import { join } from 'node:path'

/** The folder of the person's login, settings and threads; an empty variable counts as none, as it does for Codex. */
export const codexHome = ({
  CODEX_HOME,
  HOME = '/nonexistent',
}: Readonly<Record<string, string | undefined>>): string => CODEX_HOME || join(HOME, '.codex')
