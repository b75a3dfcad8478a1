import { readFileSync } from 'node:fs'

type Env = Record<string, string | undefined>

/** Secrets that may come from a file instead: `NAME_FILE` names it. The last ones are logins of agents. */
const SECRETS = [
  'DATABASE_URL',
  'DATABASE_PASSWORD',
  'TEMPORAL_API_KEY',
  'ANTHROPIC_API_KEY',
  'ANTHROPIC_AUTH_TOKEN',
  'CLAUDE_CODE_OAUTH_TOKEN',
  'OPENAI_API_KEY',
  'GEMINI_API_KEY',
] as const

/**
 * The environment with the content of each `<secret>_FILE` as `<secret>` in its place; a newline at the end does not
 * count, and an empty file means "not set". Throws an Error that names the variable when a file cannot be read or both are set.
 */
export function withSecretFiles(env: Env): Env {
  const found: Env = {}
  for (const name of SECRETS) {
    const file = env[`${name}_FILE`]
    if (!file) continue
    if (env[name])
      throw new Error(
        `${name} and ${name}_FILE are both set: take one of them out of the environment`,
      )
    found[name] = readSecret(`${name}_FILE`, file)
    found[`${name}_FILE`] = undefined // for a child that gets this environment it is done
  }
  return { ...env, ...found }
}

function readSecret(variable: string, file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').replace(/\r?\n$/, '') || undefined
  } catch (error) {
    throw new Error(
      `${variable} names ${file}, which cannot be read: ${(error as Error).message}`,
      {
        cause: error,
      },
    )
  }
}
