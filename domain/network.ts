import { NETWORKS, type Network } from '../contracts/agent.ts'

/** What a run reaches in its sandbox: what its project allows, or less where its profile says so. Null: the profile says nothing. */
export function narrowerNetwork(project: Network, profile: Network | null): Network {
  return NETWORKS.find((network) => network === project || network === profile) ?? project
}
