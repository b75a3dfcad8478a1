import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import tailwindcss from '@tailwindcss/vite'
import react from '@vitejs/plugin-react'
import { defineConfig, type Plugin } from 'vite'

/** Compresses once, here, what the API would else compress for every page view. */
function gzipAssets(): Plugin {
  return {
    name: 'gzip-assets',
    apply: 'build',
    writeBundle({ dir }) {
      const assets = join(dir ?? '', 'assets')
      for (const name of readdirSync(assets).filter((file) => /\.(js|css)$/.test(file))) {
        const file = join(assets, name)
        writeFileSync(`${file}.gz`, gzipSync(readFileSync(file), { level: 9 }))
      }
    },
  }
}

/** A worker is handed the grammars that it needs and refuses to load any, so its own copy of all of them would be dead weight. */
function noGrammars(): Plugin {
  const id = '\0no-grammars'
  return {
    name: 'no-grammars',
    enforce: 'pre',
    resolveId: (source) => (source === 'shiki/langs' ? id : undefined),
    load: (source) => (source === id ? 'export const bundledLanguages = {}' : undefined),
  }
}

/** What every page needs at once: one file instead of a dozen small ones, and the same one after most updates of ours. */
const FIRST =
  /node_modules[\\/](react|react-dom|scheduler|@tanstack[\\/](history|store|react-store|router-core|react-router|query-core|react-query)|use-sync-external-store|zustand|tailwind-merge|clsx|class-variance-authority|tinykeys)[\\/]/

export default defineConfig({
  plugins: [react(), tailwindcss(), gzipAssets()],
  worker: { format: 'es', plugins: () => [noGrammars()] }, // what a worker loads lazily stays apart from it
  build: {
    outDir: '../dist/ui',
    emptyOutDir: true,
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0, // fonts in the style sheet would be loaded by those who need none
    target: 'es2022',
    chunkSizeWarningLimit: 1000, // grammars for colouring code, each loaded when a file needs it
    rolldownOptions: { output: { codeSplitting: { groups: [{ name: 'vendor', test: FIRST }] } } },
  },
})
