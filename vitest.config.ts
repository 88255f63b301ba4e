import { configDefaults, defineConfig } from 'vitest/config';

const setup = 'test/support/global-setup.ts';

const everythingElse = {
  include: ['test/**/*.test.ts'],
  exclude: [...configDefaults.exclude, 'test/seatunnel/**'],
  globalSetup: [setup],
};

const seatunnel = {
  include: ['test/seatunnel/**/*.test.ts'],
  globalSetup: [setup, 'test/seatunnel/support/global-setup.ts'],
  // An engine is a process of two hundred megabytes and more: one after the other.
  fileParallelism: false,
};

function timeoutMs(mode: string): number {
  if (mode === 'full' || process.env.FULL === '1') return 1_800_000;
  return mode === 'seatunnel' ? 240_000 : 60_000;
}

export default defineConfig(({ mode }) => ({
  test: {
    // Jobs of a real Apache SeaTunnel need Java and Maven: `npm run test:seatunnel` runs them, and nothing else.
    ...(mode === 'seatunnel' ? seatunnel : everythingElse),
    // `npm run test:full` runs the same tests at their full size.
    env: mode === 'full' ? { FULL: '1' } : {},
    testTimeout: timeoutMs(mode),
    hookTimeout: 120_000,
    maxWorkers: 2,
  },
}));
