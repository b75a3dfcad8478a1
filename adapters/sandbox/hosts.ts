/** `host:port` of an address that a person set, else the agent's usual host. */
export function hostOf(url: string | undefined, usual: string): string {
  if (!url || !URL.canParse(url)) return usual
  const { hostname, port, protocol } = new URL(url)
  return `${hostname}:${port || (protocol === 'http:' ? '80' : '443')}`
}
