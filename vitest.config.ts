import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['**/*.test.ts', '**/*.test.tsx'],
    exclude: ['**/node_modules/**', 'dist/**', '.dispatch/**'],
    globalSetup: ['./test/global-setup.ts'],
    css: true, // a test of the UI reads its colours
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 180_000,
    expect: { poll: { timeout: 30_000 } }, // what a person waits for after a click, on a busy machine
    maxConcurrency: 4,
    hookTimeout: 120_000,
  },
})
