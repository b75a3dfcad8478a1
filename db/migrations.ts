import type { Knex } from 'knex'
import { down as initialDown, up as initialUp } from './migrations/001-initial.ts'
import { down as correctionsDown, up as correctionsUp } from './migrations/002-corrections.ts'
import { down as stoppedRunsDown, up as stoppedRunsUp } from './migrations/003-stopped-runs.ts'
import {
  down as integratedTasksDown,
  up as integratedTasksUp,
} from './migrations/004-integrated-tasks.ts'
import { down as suggestionsDown, up as suggestionsUp } from './migrations/005-suggestions.ts'
import { down as sandboxDown, up as sandboxUp } from './migrations/006-sandbox.ts'
import {
  down as ledgerAndBudgetsDown,
  up as ledgerAndBudgetsUp,
} from './migrations/007-ledger-and-budgets.ts'
import {
  down as profileNetworkDown,
  up as profileNetworkUp,
} from './migrations/008-profile-network.ts'
import { down as namedLimitsDown, up as namedLimitsUp } from './migrations/009-named-limits.ts'
import {
  down as uncountedTokensDown,
  up as uncountedTokensUp,
} from './migrations/010-uncounted-tokens.ts'
import { down as gitChangesDown, up as gitChangesUp } from './migrations/011-git-changes.ts'
import { down as agentReasonsDown, up as agentReasonsUp } from './migrations/012-agent-reasons.ts'
import {
  down as beginRunningDown,
  up as beginRunningUp,
} from './migrations/013-runs-begin-running.ts'
import {
  down as watchedPlacesDown,
  up as watchedPlacesUp,
} from './migrations/014-watched-places.ts'
import {
  down as offeredTokensDown,
  up as offeredTokensUp,
} from './migrations/015-offered-tokens.ts'
import {
  down as correctionNotesDown,
  up as correctionNotesUp,
} from './migrations/016-correction-notes.ts'
import { down as chosenAgentsDown, up as chosenAgentsUp } from './migrations/017-chosen-agents.ts'
import { down as delaysDown, up as delaysUp } from './migrations/018-delays.ts'
import { down as taskQueueDown, up as taskQueueUp } from './migrations/019-task-queue.ts'

const ALL: readonly { name: string; migration: Knex.Migration }[] = [
  { name: '001-initial', migration: { up: initialUp, down: initialDown } },
  { name: '002-corrections', migration: { up: correctionsUp, down: correctionsDown } },
  { name: '003-stopped-runs', migration: { up: stoppedRunsUp, down: stoppedRunsDown } },
  {
    name: '004-integrated-tasks',
    migration: { up: integratedTasksUp, down: integratedTasksDown },
  },
  { name: '005-suggestions', migration: { up: suggestionsUp, down: suggestionsDown } },
  { name: '006-sandbox', migration: { up: sandboxUp, down: sandboxDown } },
  {
    name: '007-ledger-and-budgets',
    migration: { up: ledgerAndBudgetsUp, down: ledgerAndBudgetsDown },
  },
  { name: '008-profile-network', migration: { up: profileNetworkUp, down: profileNetworkDown } },
  { name: '009-named-limits', migration: { up: namedLimitsUp, down: namedLimitsDown } },
  {
    name: '010-uncounted-tokens',
    migration: { up: uncountedTokensUp, down: uncountedTokensDown },
  },
  { name: '011-git-changes', migration: { up: gitChangesUp, down: gitChangesDown } },
  { name: '012-agent-reasons', migration: { up: agentReasonsUp, down: agentReasonsDown } },
  { name: '013-runs-begin-running', migration: { up: beginRunningUp, down: beginRunningDown } },
  { name: '014-watched-places', migration: { up: watchedPlacesUp, down: watchedPlacesDown } },
  { name: '015-offered-tokens', migration: { up: offeredTokensUp, down: offeredTokensDown } },
  {
    name: '016-correction-notes',
    migration: { up: correctionNotesUp, down: correctionNotesDown },
  },
  { name: '017-chosen-agents', migration: { up: chosenAgentsUp, down: chosenAgentsDown } },
  { name: '018-delays', migration: { up: delaysUp, down: delaysDown } },
  { name: '019-task-queue', migration: { up: taskQueueUp, down: taskQueueDown } },
]

/** Migrations are part of the program, so that a bundled worker finds them without a folder beside it. */
export const MIGRATIONS: Knex.MigrationSource<(typeof ALL)[number]> = {
  getMigrations: async () => [...ALL],
  getMigrationName: (entry) => entry.name,
  getMigration: async (entry) => entry.migration,
}

export const SCHEMA_VERSION = ALL.length
