import { request as httpRequest } from 'node:http'
import { ANSWER_SECONDS, type HttpReply, type HttpRequest } from './caller.ts'

/** `node:http` instead of `fetch`, which costs a command line tool about 90 ms to load. Rejects when no answer comes. */
export async function nodeHttp(
  { method, url, headers, body }: HttpRequest,
  seconds = ANSWER_SECONDS,
): Promise<HttpReply> {
  const request = url.startsWith('https:') ? (await import('node:https')).request : httpRequest
  return new Promise((resolve, reject) => {
    const length = body === undefined ? {} : { 'content-length': Buffer.byteLength(body) }
    const call = request(url, { method, headers: { ...headers, ...length }, agent: false })
    call.setTimeout(seconds * 1000, () => {
      const error = new Error(`no answer within ${seconds} s`)
      call.destroy(Object.assign(error, { code: 'ETIMEDOUT' }))
    })
    call.once('error', reject)
    call.once('response', (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.once('error', reject)
      response.once('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          text: Buffer.concat(chunks).toString('utf8'),
        }),
      )
    })
    call.end(body)
  })
}
