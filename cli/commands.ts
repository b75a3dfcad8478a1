import type { Command } from './command.ts'
import { adapters, adaptersRescan } from './commands/adapters.ts'
import { agents } from './commands/agents.ts'
import { approve } from './commands/approve.ts'
import { completion } from './commands/completion.ts'
import { correct } from './commands/correct.ts'
import { demo } from './commands/demo.ts'
import { diff } from './commands/diff.ts'
import { doctor } from './commands/doctor.ts'
import { events } from './commands/events.ts'
import { goal } from './commands/goal.ts'
import { goalCancel, goalPause, goalResume, goalRetry } from './commands/goal-actions.ts'
import { goalShow } from './commands/goal-show.ts'
import { goalWatch } from './commands/goal-watch.ts'
import { goals } from './commands/goals.ts'
import { ledger } from './commands/ledger.ts'
import { logs } from './commands/logs.ts'
import { pool, poolPause, poolResume, poolStatus } from './commands/pool.ts'
import {
  profiles,
  profilesCreate,
  profilesDelete,
  profilesSet,
  profilesShow,
} from './commands/profiles.ts'
import {
  projects,
  projectsAdd,
  projectsConventions,
  projectsRemove,
  projectsSandbox,
  projectsTrust,
} from './commands/projects.ts'
import { reviewShow, reviews } from './commands/reviews.ts'
import { reject, requestChanges } from './commands/send-back.ts'
import { settings } from './commands/settings.ts'
import { api, start, stop, worker } from './commands/start.ts'
import { status } from './commands/status.ts'
import { suggestions, suggestionsAccept, suggestionsDismiss } from './commands/suggestions.ts'
import { tasks } from './commands/tasks.ts'
import { tasksAgent } from './commands/tasks-agent.ts'

/** Every command, in the order of the help. A new one needs its file and its line here. */
export const commands: readonly Command[] = [
  ...[start, stop, status, doctor, demo, worker, api],
  ...[goal, goals, goalShow, goalWatch, goalPause, goalResume, goalCancel, goalRetry],
  ...[tasks, tasksAgent, reviews, reviewShow, diff, approve, reject, requestChanges],
  ...[agents, correct, suggestions, suggestionsAccept, suggestionsDismiss],
  ...[logs, events, ledger],
  ...[pool, poolStatus, poolPause, poolResume],
  ...[
    projects,
    projectsAdd,
    projectsTrust,
    projectsSandbox,
    projectsConventions,
    projectsRemove,
    profiles,
    profilesShow,
    profilesSet,
    profilesCreate,
    profilesDelete,
    adapters,
    adaptersRescan,
    settings,
  ],
  completion,
]
