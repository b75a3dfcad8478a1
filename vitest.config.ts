import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config'

const options: TestProjectInlineConfiguration['test'] = {
  exclude: ['**/node_modules/**', 'dist/**', '.dispatch/**'],
  css: true, // a test of the UI reads its colours
  pool: 'forks',
  testTimeout: 180_000,
  expect: { poll: { timeout: 30_000 } }, // what a person waits for after a click, on a busy machine
  maxConcurrency: 4,
  hookTimeout: 120_000,
}

export default defineConfig({
  test: {
    globalSetup: ['./test/global-setup.ts'],
    maxWorkers: 2,
    projects: [
      { test: { ...options, name: 'journeys', include: ['test/**/*.test.ts'] } },
      {
        test: {
          ...options,
          name: 'parts',
          include: ['**/*.test.{ts,tsx}'],
          exclude: [...(options.exclude ?? []), 'test/**'],
          isolate: false, // they leave nothing behind, and a process for each costs more than most of them
        },
      },
    ],
  },
})
