/** Temporal needs one entry: every workflow is exported here. */
export { goalWorkflow } from './goal.ts'
export { taskWorkflow } from './task.ts'
