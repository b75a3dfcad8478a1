import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from '../../config/home.ts'
import { startModelServer } from '../model-server/model-server.ts'
import { ACP, CLAUDE, CODEX, type Driver, GEMINI } from './drivers.ts'

/** Name of the recording, and the scenario of the model server that is played. */
const RECORDINGS = { 'write-file': 'write-file', 'refused-key': '401', 'provider-fails': '500' }

/**
 * `node --import tsx test/agents/record.ts`: plays what is not recorded yet with the real programs and stores what they printed in
 * `adapters/<agent>/recordings/`, paths made anonymous. Delete a recording to make it anew.
 */
async function main(): Promise<void> {
  const model = await startModelServer()
  for (const driver of [CLAUDE, CODEX, GEMINI, ACP])
    for (const [name, scenario] of Object.entries(RECORDINGS)) {
      const folder = join(packageRoot(), 'adapters', driver.name, 'recordings')
      const file = join(folder, `${name}.jsonl`)
      if (existsSync(file)) continue
      mkdirSync(folder, { recursive: true })
      writeFileSync(file, await record(driver, scenario, model))
      process.stdout.write(`${file}\n`)
    }
  await model.close()
}

async function record(
  driver: Driver,
  scenario: string,
  model: Awaited<ReturnType<typeof startModelServer>>,
): Promise<string> {
  const { binary, env } = await driver.install()
  const at = driver.stage(model, scenario, { binary })
  Object.assign(at.spec.env, env)
  const home = join(at.cwd, '..')
  const out = join(home, 'recorded')
  const program = join(home, 'recorder')
  const script = [
    '#!/bin/bash',
    `'${binary}' "$@" | tee '${out}'`,
    `code=\${PIPESTATUS[0]}; echo "{\\"exit\\":$code}" >> '${out}'; exit $code`,
  ]
  writeFileSync(program, `${script.join('\n')}\n`)
  chmodSync(program, 0o755)
  at.spec.binary = program
  try {
    await at.play()
    return readFileSync(out, 'utf8')
      .split('\n')
      .filter((line) => line.startsWith('{') && !LONG.test(line))
      .map(
        (line) =>
          `${line.replaceAll(at.cwd, '/home/person/project').replaceAll(home, '/home/person')}\n`,
      )
      .join('')
  } finally {
    at.remove()
  }
}

/** Nothing that an adapter reads, and a lot of it. */
const LONG = /"available_commands_update"|"config_option_update"|"availableModes"|"authMethods"/

await main()
