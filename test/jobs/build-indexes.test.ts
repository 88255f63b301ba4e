import { pino } from 'pino';
import { expect, test } from 'vitest';
import { startBuildingIndexes } from '../../src/jobs/build-indexes.js';
import { createInstances } from '../support/context.js';
import { define, putAll } from '../support/retention.js';

test('the jobs of two instances build what a definition asks for, once, and say so', async () => {
  const [one, two] = await createInstances(2);
  if (!one || !two) throw new Error('two instances are needed');
  await define(one, {});
  await putAll(one, ['a', 'b'], { n: 1 });
  await define(one, { indexes: ['/n'] });
  const lines: string[] = [];
  let hear: () => void = () => {};
  const heard = new Promise<void>((resolve) => {
    hear = resolve;
  });
  const logger = pino(
    { level: 'info' },
    {
      write: (line) => {
        lines.push(line);
        hear();
      },
    },
  );
  const jobs = [one, two].map((context) => startBuildingIndexes(context, logger, { intervalMs: 1 }));
  await heard;
  await Promise.all(jobs.map((job) => job.stop()));
  expect(lines.map((line) => JSON.parse(line))).toMatchObject([
    { operation: 'buildIndexes', collection: 'things', pointer: '/n', msg: 'an index was built' },
  ]);
});
