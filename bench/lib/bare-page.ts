import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import { closing } from './cleanup.ts'

const PROGRAM = `
import { createElement } from 'react'
import { createRoot } from 'react-dom/client'
createRoot(document.getElementById('root')).render(createElement('p', { 'data-shown': '' }, 'Hello'))`

/** The least that React can show, built and compressed as the product's page is: the floor of its first load. */
export async function serveBarePage(): Promise<{ url: string; close(): Promise<void> }> {
  const { outputFiles } = await build({
    stdin: { contents: PROGRAM, resolveDir: process.cwd() },
    ...{ bundle: true, minify: true, write: false, format: 'esm', target: 'es2022' },
    define: { 'process.env.NODE_ENV': '"production"' },
  })
  const script = gzipSync(outputFiles[0]?.contents ?? '', { level: 9 })
  const html = gzipSync(
    '<!doctype html><meta charset="utf-8"><div id="root"></div><script type="module" src="/app.js"></script>',
  )
  const server = createServer((request, response) => {
    const isScript = request.url === '/app.js'
    response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html')
    response.setHeader('content-encoding', 'gzip')
    response.end(isScript ? script : html)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: closing(async () => {
      server.closeAllConnections()
      server.close()
    }),
  }
}
