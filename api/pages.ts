import { existsSync } from 'node:fs'
import { join } from 'node:path'
import express, { type Express, type Response } from 'express'

/** Serves the built pages. Files with a hash in their name never change; the page itself is asked for anew. */
export function servePages(app: Express, dir: string): void {
  if (!existsSync(join(dir, 'index.html'))) return
  const setHeaders = (response: Response, path: string) => {
    const hashed = /[/\\]assets[/\\]/.test(path)
    response.set('Cache-Control', hashed ? 'public, max-age=31536000, immutable' : 'no-cache')
  }
  app.use(servePrecompressed(dir))
  app.use(express.static(dir, { index: 'index.html', setHeaders, redirect: false }))
}

const TYPES: Readonly<Record<string, string>> = {
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
}

/** Sends `x.js.gz`, made by the build, where the browser takes it. */
function servePrecompressed(dir: string): express.RequestHandler {
  return (request, response, next) => {
    const name = /^\/assets\/([\w.-]+\.(js|css))$/.exec(request.path)
    if (!name?.[1] || !request.acceptsEncodings('gzip')) return next()
    const file = join(dir, 'assets', `${name[1]}.gz`)
    if (!existsSync(file)) return next()
    response.set({
      'Content-Encoding': 'gzip',
      'Content-Type': TYPES[name[2] ?? ''] ?? 'application/octet-stream',
      'Cache-Control': 'public, max-age=31536000, immutable',
      Vary: 'Accept-Encoding',
    })
    response.sendFile(file)
  }
}
