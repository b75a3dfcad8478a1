import type { IncomingMessage } from 'node:http'
import { peerOf } from './peer.ts'
import { Problem } from './problem.ts'

export interface GuardRules {
  /** `host:port` values that may stand in Host, lower case. Asked anew for each request: the port is known late. */
  allowedHosts: () => readonly string[]
}

const MUTATIONS = new Set(['POST', 'PUT', 'PATCH', 'DELETE'])
const LONGEST_URL = 8 * 1024

/**
 * The one check in front of every HTTP request and every upgrade, before anything is routed. It keeps web pages,
 * rebound names and other users out; nothing a request says can turn a part of it off. Returns what is wrong.
 */
export function checkRequest(request: IncomingMessage, rules: GuardRules): Problem | undefined {
  return (
    checkUrl(request) ??
    checkHost(request, rules) ??
    checkOrigin(request, rules) ??
    checkSite(request) ??
    checkPeer(request) ??
    (MUTATIONS.has(request.method ?? '') ? checkMutation(request) : undefined)
  )
}

function checkUrl({ url = '' }: IncomingMessage): Problem | undefined {
  if (url.length > LONGEST_URL) return new Problem(414, 'url_too_long', 'The address is over 8 KB.')
  if (!url.startsWith('/')) return new Problem(400, 'bad_url', 'The address must start with /.')
  if (/[?&](access_)?token=/i.test(url))
    return new Problem(400, 'token_in_url', 'A token does not belong in an address: it is logged.')
  return undefined
}

/** `localhost.` is `localhost`, and names have no case. */
const normalHost = (host: string) => host.toLowerCase().replace(/\.(?=:\d+$|$)/, '')

/** Also stops DNS rebinding: a rebound page sends its own name here, and same-origin checks alone would let it in. */
function checkHost(request: IncomingMessage, rules: GuardRules): Problem | undefined {
  const names = request.rawHeaders.filter((_, i) => i % 2 === 0)
  if (names.filter((name) => name.toLowerCase() === 'host').length > 1)
    return new Problem(400, 'bad_host', 'There are several Host headers.')
  if (rules.allowedHosts().includes(normalHost(request.headers.host ?? ''))) return undefined
  return new Problem(403, 'host_not_allowed', 'Dispatch does not answer under this name.', {
    advice: 'Use http://127.0.0.1 or http://localhost with its port.',
  })
}

/** Browsers send it on every request that could harm; programs leave it out. */
function checkOrigin(request: IncomingMessage, rules: GuardRules): Problem | undefined {
  const { origin, host = '' } = request.headers
  if (origin === undefined) return undefined
  const own = /^https?:\/\/([^/]+)$/i.exec(origin)?.[1]
  const same = own !== undefined && normalHost(own) === normalHost(host)
  if (same && rules.allowedHosts().includes(normalHost(own))) return undefined
  return new Problem(403, 'origin_not_allowed', 'Another web page may not use Dispatch.')
}

function checkSite(request: IncomingMessage): Problem | undefined {
  const site = request.headers['sec-fetch-site']
  if (site === undefined || site === 'same-origin' || site === 'none') return undefined
  if (isPageVisit(request)) return undefined
  return new Problem(403, 'cross_site', 'Another web page may not use Dispatch.')
}

/** Following a link from elsewhere (Temporal's page, a chat) to a page of ours: shows files, and may not be framed. */
function isPageVisit({ method, url = '', headers }: IncomingMessage): boolean {
  return (
    method === 'GET' &&
    headers['sec-fetch-mode'] === 'navigate' &&
    headers['sec-fetch-dest'] === 'document' &&
    !/^\/(api|ws|metrics|health|ready)\b/i.test(url)
  )
}

function checkPeer({ socket }: IncomingMessage): Problem | undefined {
  const peer = peerOf(socket)
  if (peer === 'own') return undefined
  if (peer === 'foreign')
    return new Problem(401, 'other_user', 'This Dispatch belongs to another user of the machine.')
  return new Problem(503, 'user_unknown', 'The system did not say which of its users asks.', {
    advice: 'Ask again.',
  })
}

function checkMutation(request: IncomingMessage): Problem | undefined {
  const { headers } = request
  if (headers['x-dispatch'] !== '1')
    return new Problem(403, 'header_missing', 'Changes need the header "X-Dispatch: 1".', {
      advice: 'Send it; a web page elsewhere cannot.',
    })
  const hasBody =
    headers['transfer-encoding'] !== undefined || headers['content-length'] !== undefined
  const empty = headers['content-length'] === '0' && headers['content-type'] === undefined
  if (!hasBody || empty) return undefined
  const type = headers['content-type']?.split(';')[0]?.trim().toLowerCase()
  if (type === 'application/json') return undefined
  return new Problem(415, 'unsupported_media_type', 'The body must be application/json.', {
    advice: 'Send "Content-Type: application/json".',
  })
}
