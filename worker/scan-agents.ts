import { agentSearch } from '../activities/agent-search.ts'
import { type AcpAgents, detectAdapters } from '../adapters/registry.ts'
import { sandboxProblem } from '../adapters/sandbox/probe.ts'
import { processEnv } from '../config/config.ts'
import { storeDetections } from '../db/adapters.ts'
import type { Database } from '../db/connect.ts'
import { storeSandboxProblem } from '../db/machine.ts'

/** Looks for agents on this machine, and whether it makes sandboxes, and stores what it found. `home`: DISPATCH_HOME. */
export async function scanAgents(deps: {
  database: Database
  home: string
  acpAgents: AcpAgents
}): Promise<void> {
  const { database, home, acpAgents } = deps
  const search = await agentSearch({ database, environment: processEnv(), home })
  const [found, problem] = await Promise.all([detectAdapters(search, acpAgents), sandboxProblem()])
  await storeSandboxProblem(database.knex, problem)
  await storeDetections(database, found)
}
