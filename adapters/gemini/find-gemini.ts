import { findProgram } from '../find-program.ts'

export const INSTALL_GEMINI = 'npm install -g @google/gemini-cli'

/** The person's own `gemini`: the PATH first, then the usual places of its installers. Undefined when there is none. */
export const findGemini = (env: Readonly<Record<string, string | undefined>>): string | undefined =>
  findProgram('gemini', env)
