import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import express, { type Express, type RequestHandler, type Response } from 'express'

const FOR_EVER = 'public, max-age=31536000, immutable'

/**
 * Serves the built pages: assets with a hash in their name, which never change, and the one page for every address that a
 * browser visits, so that deep links work. `csp` is the policy that the page's own inline script is added to.
 */
export function servePages(app: Express, options: { dir: string; csp: string }): void {
  const { dir } = options
  if (!existsSync(join(dir, 'index.html'))) return
  app.use(servePrecompressed(dir), servePage(options))
  const setHeaders = (response: Response, path: string) =>
    response.set('Cache-Control', /[/\\]assets[/\\]/.test(path) ? FOR_EVER : 'no-cache')
  app.use(express.static(dir, { index: false, setHeaders, redirect: false }))
}

const TYPES: Readonly<Record<string, string>> = {
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
}

/** Sends `x.js.gz`, made by the build, where the browser takes it. */
function servePrecompressed(dir: string): RequestHandler {
  return (request, response, next) => {
    const name = /^\/assets\/([\w.-]+\.(js|css))$/.exec(request.path)
    if (!name?.[1] || !request.acceptsEncodings('gzip')) return next()
    const root = join(dir, 'assets')
    const file = `${name[1]}.gz`
    if (!existsSync(join(root, file))) return next()
    const headers = {
      'Content-Encoding': 'gzip',
      'Content-Type': TYPES[name[2] ?? ''] ?? 'application/octet-stream',
      'Cache-Control': FOR_EVER,
      Vary: 'Accept-Encoding',
    }
    // by its root: of a whole path a hidden folder, as of nvm, would count as hidden file
    response.sendFile(file, { root, headers })
  }
}

/** Paths that are never a page, whatever asks for them. */
const NOT_A_PAGE = /^\/(api|assets|ws|metrics|health|ready)(\/|$)/

function servePage({ dir, csp }: { dir: string; csp: string }): RequestHandler {
  return (request, response, next) => {
    const visit = request.method === 'GET' || request.method === 'HEAD'
    // a program that takes anything gets a 404 for what does not exist; a browser says that it wants HTML
    const wantsPage = request.path === '/' || /\btext\/html\b/.test(request.get('accept') ?? '')
    if (!visit || !wantsPage || NOT_A_PAGE.test(request.path)) return next()
    const html = readFileSync(join(dir, 'index.html'), 'utf8')
    response
      .set({ 'Cache-Control': 'no-cache', 'Content-Security-Policy': withScripts(csp, html) })
      .type('html')
      .send(html)
  }
}

/** The policy with the hashes of the scripts that stand in the page: the one that sets the theme before anything is painted. */
function withScripts(csp: string, html: string): string {
  const inline = [...html.matchAll(/<script>([\s\S]*?)<\/script>/g)].map((match) => match[1] ?? '')
  const hashes = inline.map(
    (text) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`,
  )
  return `${csp}; ${["script-src 'self'", ...hashes].join(' ')}`
}
