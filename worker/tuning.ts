/** How a worker of ours is set up, for whatever activities it runs. */
export const WORKER_TUNING = {
  // otherwise pause and cancel take up to 48 s to arrive
  maxHeartbeatThrottleInterval: '1s',
  defaultHeartbeatThrottleInterval: '1s',
  maxConcurrentActivityTaskExecutions: 100,
  maxConcurrentWorkflowTaskExecutions: 20,
  // memory stays flat however many goals wait: an evicted workflow replays when its signal comes
  maxCachedWorkflows: 100,
  shutdownGraceTime: '500ms',
  shutdownForceTime: '15s',
} as const
