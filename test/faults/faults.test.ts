import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { openDatabase } from '../../src/store/db.js';
import { auditStore } from '../support/audit.js';
import { createTestDatabase } from '../support/database.js';
import { root } from '../support/program.js';
import { type Random, randomFrom } from '../support/random.js';
import { size } from '../support/size.js';
import { emptyHistory, findViolations, type History } from './history.js';
import { Instance } from './instance.js';
import { follow, prepare, runClient, settle, totalBalance } from './load.js';

const clients = 8;
/** Answers that each life of an instance takes part in, and lives that are ended. */
const readingsPerLife = size(300, 4_000);
const kills = size(2, 20);
const seed = Number(process.env.SEED ?? Date.now() % 100_000);

beforeAll(async () => {
  await promisify(execFile)(process.execPath, ['scripts/build.mjs'], { cwd: root });
});

/** A service that breaks one promise: what it loads first changes it. */
const careless = (name: string) => ({
  program: process.execPath,
  args: ['--import', fileURLToPath(new URL(`./${name}.mjs`, import.meta.url)), 'dist/main.js'],
});

/** Ends one instance after the other, whenever they have answered enough; then lets the load end. */
async function killInTurn(
  instances: Instance[],
  history: History,
  random: Random,
  kills: number,
): Promise<void> {
  for (let killed = 0; ; killed += 1) {
    const enough = history.readings.length + readingsPerLife;
    await new Promise<void>((resolve) => {
      history.onReading = () => history.readings.length >= enough && resolve();
    });
    if (killed === kills) return;
    await random.pick(instances).killAndRestart();
  }
}

/** The whole load on so many instances. Returns what the clients were told, and what is wrong with it. */
async function runLoad(
  count: number,
  kills: number,
  command?: { program: string; args: string[] },
): Promise<{ history: History; violations: string[]; unknown: number }> {
  const database = await createTestDatabase();
  onTestFinished(() => database.drop());
  const instances = Array.from({ length: count }, () => new Instance(database.url, command));
  await Promise.all(instances.map((instance) => instance.ready()));
  const [first] = instances;
  if (first === undefined) throw new Error('no instance');
  await prepare(first);

  const history = emptyHistory();
  const random = randomFrom(seed + count);
  let isOver = false;
  let isQuiet = false;
  const load = Promise.all(
    Array.from({ length: clients }, (_, client) =>
      runClient(instances, history, randomFrom(seed * 100 + client), () => isOver),
    ),
  );
  const feed = follow(instances, history, randomFrom(seed), () => isQuiet);
  await Promise.race([killInTurn(instances, history, random, kills), load]);
  isOver = true;
  await load;
  const unknown = await settle(first, history);
  isQuiet = true;
  await feed;

  const db = openDatabase({ url: database.url, poolSize: 2 });
  try {
    return {
      history,
      unknown,
      violations: [...(await findViolations(db, history, totalBalance)), ...(await auditStore(db))],
    };
  } finally {
    await db.close();
  }
}

describe(`reads, transfers, increments and the feed beside kill -9 (seed ${seed})`, () => {
  test.each([1, 2, 4])(
    '%i instances: every answer is that of one moment after the question',
    {
      timeout: 1_800_000,
    },
    async (count) => {
      const { history, violations, unknown } = await runLoad(count, kills);
      const { readings, commits, feed } = history;
      const acknowledged = commits.filter(({ revision }) => revision !== null).length;
      console.log(
        `${count} instances: ${readings.length} answers, ${acknowledged} commits, ${commits.length - acknowledged} refused, ${unknown} of unknown outcome, ${feed.length} changes`,
      );
      expect(violations).toEqual([]);
      expect(readings.length).toBeGreaterThanOrEqual(readingsPerLife * (kills + 1));
      expect(acknowledged).toBeGreaterThan(readings.length / 50);
      expect(commits.some(({ refused }) => refused)).toBe(true);
      expect(readings.some(({ tags }) => tags.length > 0)).toBe(true);
    },
  );

  test('negative control: a service whose reads do not ask the fence is caught', {
    timeout: 600_000,
  }, async () => {
    const { violations } = await runLoad(2, 0, careless('unfenced'));
    expect(violations.join()).toMatch(/was shown after \d+ had been told of/);
  });

  test('negative control: a service that acknowledges before it commits is caught', {
    timeout: 600_000,
  }, async () => {
    const { violations } = await runLoad(2, 0, careless('early-answers'));
    expect(violations.join()).toMatch(/was acknowledged as \d+, and is not there|was shown after/);
  });
});
