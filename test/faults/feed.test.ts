import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { openDatabase } from '../../src/store/db.js';
import { auditStore } from '../support/audit.js';
import { createTestDatabase } from '../support/database.js';
import { root } from '../support/program.js';
import { randomFrom } from '../support/random.js';
import { size } from '../support/size.js';
import { judgeFeed, noFaults, quantile } from './feed-history.js';
import { hear, nothingWritten, prepareEvents, type Written, write, writeEnd } from './feed-load.js';
import { emptyHistory } from './history.js';
import { Instance } from './instance.js';
import { follow } from './load.js';

const writers = 16;
const readers = 8;
const kills = 2;
const changes = size(2_000, 100_000);
const seed = Number(process.env.SEED ?? Date.now() % 100_000);

beforeAll(async () => {
  await promisify(execFile)(process.execPath, ['scripts/build.mjs'], { cwd: root });
});

/** Resolves when so many changes have been acknowledged. */
const untilWritten = (written: Written, enough: number) =>
  new Promise<void>((resolve) => {
    const look = () => written.changes >= enough && resolve();
    written.onAnswer = look;
    look();
  });

describe(`the feed beside ${writers} writers on two instances, and kill -9 (seed ${seed})`, () => {
  test(`${readers} streams that are cut again and again, and a poller, miss nothing, hear nothing twice, and all in order`, {
    timeout: 1_800_000,
  }, async () => {
    const database = await createTestDatabase();
    onTestFinished(() => database.drop());
    const instances = [new Instance(database.url), new Instance(database.url)];
    await Promise.all(instances.map((instance) => instance.ready()));
    const [first] = instances;
    if (first === undefined) throw new Error('no instance');
    await prepareEvents(first);

    // A test that fails leaves nobody behind who asks what is no longer there.
    const failed = new AbortController();
    const { signal } = failed;
    onTestFinished(() => failed.abort());
    const written = nothingWritten();
    const polled = emptyHistory();
    let isQuiet = false;
    const hearing = Array.from({ length: readers }, (_, reader) =>
      hear(instances, randomFrom(seed * 10 + reader), signal),
    );
    const polling = follow(instances, polled, randomFrom(seed + 1), () => isQuiet, signal);
    const startedAt = performance.now();
    let killed = 0;
    const isOver = () => signal.aborted || (written.changes >= changes && killed === kills);
    const writing = Array.from({ length: writers }, (_, writer) =>
      write(instances, written, { writer, random: randomFrom(seed * 100 + writer), isOver }),
    );
    const random = randomFrom(seed);
    // The writers go on until the last of them is back.
    for (; killed < kills; killed += 1) {
      await untilWritten(written, (changes * (killed + 1)) / (kills + 1));
      await random.pick(instances).killAndRestart();
    }
    await Promise.all(writing);
    const seconds = (performance.now() - startedAt) / 1_000;
    await writeEnd(instances, random);
    isQuiet = true;
    await polling;
    const heard = await Promise.all(hearing);

    const db = openDatabase({ url: database.url, poolSize: 2 });
    onTestFinished(() => db.close());
    const rows = await db.query<{ place: string }>(
      `SELECT revision || '.' || ordinal AS place FROM change ORDER BY revision, ordinal`,
    );
    const log = rows.map(({ place }) => place);
    const delays = heard.flatMap(({ delaysMs }) => delaysMs);
    console.log(
      `${log.length} changes in ${written.commits} commits, ${written.refused} refused, ${written.unanswered} without an answer, ${Math.round(written.changes / seconds)} changes/s; ${heard.map(({ connections }) => connections).join(', ')} connections; from commit to delivery p50 ${quantile(delays, 0.5)} ms, p99 ${quantile(delays, 0.99)} ms, most ${quantile(delays, 1)} ms of ${delays.length}`,
    );
    for (const { told } of heard) expect(judgeFeed(told, log)).toEqual(noFaults);
    expect(judgeFeed(polled.feed, log)).toEqual(noFaults);
    expect([...written.unexpected, ...polled.unexpected]).toEqual([]);
    expect(log.length).toBeGreaterThanOrEqual(changes);
    expect(written.refused).toBeGreaterThan(written.commits / 20);
    expect(Math.min(...heard.map(({ connections }) => connections))).toBeGreaterThan(1);
    expect(await auditStore(db)).toEqual([]);
  });

  const log = ['1.1', '2.1', '2.2', '3.1'];
  test.each([
    ['a lost change', ['1.1', '2.1', '3.1'], { missed: 1 }],
    ['a change that comes twice', ['1.1', '2.1', '2.2', '2.2', '3.1'], { doubled: 1 }],
    ['two changes in the wrong order', ['1.1', '2.2', '2.1', '3.1'], { outOfOrder: 1 }],
    ['a change that there is not', ['1.1', '2.1', '2.2', '2.3', '3.1'], { invented: 1 }],
    ['an end that never came', ['1.1'], { missed: 3 }],
  ])('negative control: %s is found', (_, told, faults) => {
    expect(judgeFeed(told, log)).toEqual({ ...noFaults, ...faults });
  });
});
