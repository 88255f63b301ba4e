import { defineConfig } from 'vitest/config';

export default defineConfig(({ mode }) => ({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/global-setup.ts'],
    // `npm run test:full` runs the same tests at their full size.
    env: mode === 'full' ? { FULL: '1' } : {},
    testTimeout: mode === 'full' ? 1_800_000 : 60_000,
    hookTimeout: 120_000,
    maxWorkers: 2,
  },
}));
