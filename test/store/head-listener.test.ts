import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { commitChanges } from '../../src/commands/commit-changes.js';
import type { Context } from '../../src/commands/context.js';
import { putCollection } from '../../src/commands/put-collection.js';
import { withTransaction } from '../../src/store/db.js';
import { type ListeningWatch, startListening } from '../../src/store/head-listener.js';
import { ann, createInstances } from '../support/context.js';

/** A watch that somebody waits at, and that notes what it is told. */
class NotingWatch implements ListeningWatch {
  wakes = 0;
  isWaitedFor = true;
  #isListening = false;
  #told: () => void = () => {};

  wake(): void {
    this.wakes += 1;
    this.#told();
  }

  set isListening(value: boolean) {
    this.#isListening = value;
    this.#told();
  }

  get isListening(): boolean {
    return this.#isListening;
  }

  async untilWaitedFor(): Promise<void> {}

  async until(holds: () => boolean): Promise<void> {
    while (!holds()) await new Promise<void>((resolve) => (this.#told = resolve));
  }
}

async function listening() {
  const [one, two] = await createInstances(2);
  if (!one || !two) throw new Error('two instances are needed');
  const watch = new NotingWatch();
  const losses: Error[] = [];
  const listener = startListening(one.db, watch, (error) => losses.push(error));
  onTestFinished(listener.stop);
  await watch.until(() => watch.isListening);
  return { two, watch, losses, listener };
}

const define = (context: Context, collection: string) =>
  putCollection(context, { collection, definition: {}, precondition: {}, actor: ann });

test('a commit of another instance is told of once, whatever it holds; what is rolled back is not', async () => {
  const { two, watch } = await listening();
  await expect(
    withTransaction(two.db, (tx) => tx.query('UPDATE head SET revision = revision + 1')),
  ).rejects.toThrow('the log is not whole');
  await define(two, 'events');
  await watch.until(() => watch.wakes === 1);
  const changes = ['a', 'b', 'c'].map((key) => ({
    collection: 'events',
    key,
    operation: 'put' as const,
    data: {},
  }));
  await commitChanges(two, { changes, dryRun: false, actor: ann });
  await watch.until(() => watch.wakes === 2);
});

test('a connection that is lost is opened again', async () => {
  const { two, watch, losses } = await listening();
  await two.db.query(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'diptych-listener' AND datname = current_database()`,
  );
  await watch.until(() => losses.length === 1 && watch.isListening);
  await define(two, 'events');
  await watch.until(() => watch.wakes === 1);
});

test('the end of listening is no loss', async () => {
  const { watch, losses, listener } = await listening();
  await listener.stop();
  expect(watch.isListening).toBe(false);
  expect(losses).toEqual([]);
});

test('nobody listens before somebody waits', async () => {
  const [one] = await createInstances(1);
  if (!one) throw new Error('no instance');
  const listener = startListening(one.db, one.heads);
  onTestFinished(listener.stop);
  const listeners = () =>
    one.db.query(
      `SELECT FROM pg_stat_activity WHERE application_name = 'diptych-listener' AND datname = current_database()`,
    );
  expect(await listeners()).toHaveLength(0);
  const gone = new AbortController();
  const waiting = one.heads.waitAbove(99, { timeoutMs: 60_000, signal: gone.signal });
  while ((await listeners()).length === 0);
  gone.abort();
  expect(await waiting).toBeUndefined();
});

test('an end while the server does not answer is an end', async () => {
  const [one] = await createInstances(1);
  if (!one) throw new Error('no instance');
  const silent = createServer();
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void silent.close());
  const { port } = silent.address() as AddressInfo;
  const options = { ...one.db.pool.options, connectionString: `postgresql://nobody@127.0.0.1:${port}/none` };
  const connected = once(silent, 'connection');
  const listener = startListening({ pool: { options } }, new NotingWatch());
  await connected;
  await listener.stop();
});
