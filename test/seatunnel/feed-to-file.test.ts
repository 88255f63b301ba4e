import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { size } from '../support/size.js';
import type { Row } from './support/history.js';
import { startJob } from './support/job.js';
import { startService, workDirectory } from './support/service.js';
import { Writers } from './support/writers.js';

const seed = Number(process.env.SEED ?? Date.now() % 100_000);

/** More than a page of changes. */
const work = { commits: size(600, 10_000), ofSeveral: size(60, 500), seed };

test(`feed → LocalFile: the file has every change once and in order, with both of its records (seed ${seed})`, async () => {
  const service = await startService();
  await service.send('PUT', '/v1/collections/products', {});
  const writers = new Writers(service, { ...work, collections: ['products'] });
  await writers.run(1, 1);
  const directory = await workDirectory();
  const files = join(directory, 'files');
  const job = startJob({
    version: '2.3.8',
    file: 'feed-to-file/job.conf',
    directory,
    settings: { DIPTYCH_URL: service.url, TARGET_DIRECTORY: files },
  });
  await job.done();

  const lines = await linesOf(files);
  const rows = lines.flatMap(rowsOf);
  const committed = writers.history.rows();
  expect(rows.length).toBe(committed.length);
  rows.forEach((row, index) => {
    expect(row).toEqual(committed[index]);
  });
  console.log(`${writers.history.summary()}: all equal`);
});

interface Line {
  revision: number;
  operation: 'create' | 'update' | 'delete';
  collection: string;
  key: string;
  /** Texts of JSON. */
  before: string | null;
  after: string | null;
  committedAt: string;
}

/** Both records of a change, as the rows that they are in the history. */
function rowsOf({ operation, before, after, revision, collection, key, committedAt }: Line): Row[] {
  const row = (kind: Row['kind'], side: string | null): Row[] => {
    if (side === null) return [];
    const { version, data } = JSON.parse(side);
    return [{ kind, collection, key, version, revision, committedAt, data }];
  };
  const isUpdate = operation === 'update';
  return [...row(isUpdate ? '-U' : '-D', before), ...row(isUpdate ? '+U' : '+I', after)];
}

/** The lines of the one file. */
async function linesOf(directory: string): Promise<Line[]> {
  const names = (await readdir(directory)).filter((name) => name.endsWith('.json'));
  expect(names).toHaveLength(1);
  const text = await readFile(join(directory, names[0] ?? ''), 'utf8');
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
}
