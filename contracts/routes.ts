/** The route table: Express, OpenAPI, the client, the UI and the CLI are all driven by it. Zod-free: the CLI starts with it. */
export interface Route {
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE'
  path: string
  status: 200 | 201 | 202
  /** Creates take an Idempotency-Key. */
  idempotent?: true
  /** Replies have an ETag, and a change may say with If-Match which state it was made from. */
  versioned?: true
}

export const routes = {
  health: { method: 'GET', path: '/health', status: 200 },
  ready: { method: 'GET', path: '/ready', status: 200 },

  getOverview: { method: 'GET', path: '/api/overview', status: 200 },

  listProjects: { method: 'GET', path: '/api/projects', status: 200 },
  suggestProjects: { method: 'GET', path: '/api/projects/suggestions', status: 200 },
  createProject: { method: 'POST', path: '/api/projects', status: 201, idempotent: true },
  getProject: { method: 'GET', path: '/api/projects/:id', status: 200, versioned: true },
  updateProject: { method: 'PATCH', path: '/api/projects/:id', status: 200, versioned: true },
  deleteProject: { method: 'DELETE', path: '/api/projects/:id', status: 200 },

  listGoals: { method: 'GET', path: '/api/goals', status: 200 },
  createGoal: { method: 'POST', path: '/api/goals', status: 202, idempotent: true },
  getGoal: { method: 'GET', path: '/api/goals/:id', status: 200 },
  pauseGoal: { method: 'POST', path: '/api/goals/:id/pause', status: 202 },
  resumeGoal: { method: 'POST', path: '/api/goals/:id/resume', status: 202 },
  cancelGoal: { method: 'POST', path: '/api/goals/:id/cancel', status: 202 },
  retryGoal: { method: 'POST', path: '/api/goals/:id/retry', status: 202 },

  listTasks: { method: 'GET', path: '/api/tasks', status: 200 },
  getTask: { method: 'GET', path: '/api/tasks/:id', status: 200 },
  updateTask: { method: 'PATCH', path: '/api/tasks/:id', status: 200 },
  getTaskDiff: { method: 'GET', path: '/api/tasks/:id/diff', status: 200 },
  approveTask: { method: 'POST', path: '/api/tasks/:id/approve', status: 200 },
  rejectTask: { method: 'POST', path: '/api/tasks/:id/reject', status: 200 },

  listReviews: { method: 'GET', path: '/api/reviews', status: 200 },
  getReview: { method: 'GET', path: '/api/reviews/:id', status: 200 },
  getReviewDiff: { method: 'GET', path: '/api/reviews/:id/diff', status: 200 },
  decideReview: { method: 'POST', path: '/api/reviews/:id/decision', status: 200 },

  listAgents: { method: 'GET', path: '/api/agents', status: 200 },
  getAgent: { method: 'GET', path: '/api/agents/:id', status: 200 },
  correctAgent: {
    method: 'POST',
    path: '/api/agents/:id/corrections',
    status: 201,
    idempotent: true,
  },
  stopAgent: { method: 'POST', path: '/api/agents/:id/stop', status: 202 },
  getTranscript: { method: 'GET', path: '/api/agents/:id/transcript', status: 200 },
  listSuggestions: { method: 'GET', path: '/api/suggestions', status: 200 },
  acceptSuggestion: { method: 'POST', path: '/api/suggestions/:id/accept', status: 200 },
  dismissSuggestion: { method: 'POST', path: '/api/suggestions/:id/dismiss', status: 200 },
  listAdapters: { method: 'GET', path: '/api/adapters', status: 200 },
  scanAdapters: { method: 'POST', path: '/api/adapters/scan', status: 202 },

  getPool: { method: 'GET', path: '/api/pool', status: 200 },
  pausePool: { method: 'POST', path: '/api/pool/pause', status: 200 },
  resumePool: { method: 'POST', path: '/api/pool/resume', status: 200 },

  listEvents: { method: 'GET', path: '/api/events', status: 200 },
  getLedger: { method: 'GET', path: '/api/ledger', status: 200 },

  listProfiles: { method: 'GET', path: '/api/profiles', status: 200 },
  createProfile: { method: 'POST', path: '/api/profiles', status: 201, idempotent: true },
  getProfile: { method: 'GET', path: '/api/profiles/:id', status: 200, versioned: true },
  updateProfile: { method: 'PATCH', path: '/api/profiles/:id', status: 200, versioned: true },
  deleteProfile: { method: 'DELETE', path: '/api/profiles/:id', status: 200 },

  getSettings: { method: 'GET', path: '/api/settings', status: 200, versioned: true },
  updateSettings: { method: 'PATCH', path: '/api/settings', status: 200, versioned: true },

  runDoctor: { method: 'POST', path: '/api/doctor', status: 200 },
} as const satisfies Record<string, Route>
export type RouteName = keyof typeof routes
