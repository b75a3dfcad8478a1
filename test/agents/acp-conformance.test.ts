import { fileURLToPath } from 'node:url'
import { createAcpAdapter } from '../../adapters/acp/acp-adapter.ts'
import { adapterConformance } from '../../adapters/conformance.ts'

const STUB = fileURLToPath(new URL('./acp-stub.mjs', import.meta.url))

adapterConformance('acp:stub', {
  makeAdapter: () => createAcpAdapter('acp:stub', { command: STUB, env: ['ACP_STUB'] }),
  play: (scenario, { env }) => ({ env: { ...env, ACP_STUB: scenario } }),
})
