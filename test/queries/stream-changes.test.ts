import { once } from 'node:events';
import { describe, expect, onTestFinished, test } from 'vitest';
import { commitChanges } from '../../src/commands/commit-changes.js';
import type { Context } from '../../src/commands/context.js';
import { putCollection } from '../../src/commands/put-collection.js';
import { runRetention } from '../../src/commands/run-retention.js';
import { streamForms } from '../../src/http/stream-forms.js';
import { ChangeStreams, type StreamChangesInput } from '../../src/queries/stream-changes.js';
import { codeOf } from '../support/barrier.js';
import { ann, createInstance, createInstances } from '../support/context.js';
import { randomFrom } from '../support/random.js';
import { size } from '../support/size.js';

const view = streamForms['application/x-ndjson'].viewOf('changes');

const fail = (error: unknown) => {
  throw error;
};

/** A stream that is read by hand. */
async function openStream(streams: ChangeStreams, input: Omit<StreamChangesInput, 'view'> = {}) {
  const { open } = await streams.streamChanges({ view, ...input });
  let tell = () => {};
  let failure: unknown;
  const stream = open({
    onNews: () => tell(),
    onFailure: (error) => {
      failure = error;
      tell();
    },
  });
  onTestFinished(() => stream.close());
  const next = async (): Promise<Buffer> => {
    for (;;) {
      const news = new Promise<void>((resolve) => {
        tell = resolve;
      });
      const bytes = stream.take();
      if (bytes !== null) return bytes;
      if (failure !== undefined) throw failure;
      await news;
    }
  };
  return { stream, next };
}

/** The places of the changes that some bytes tell of. */
function placesIn(bytes: Buffer): string[] {
  const items = bytes
    .toString()
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  return items.flatMap((item) => ('position' in item ? [] : [`${item.revision}.${item.ordinal}`]));
}

const define = (context: Context, definition: object = {}, collection = 'events') =>
  putCollection(context, { collection, definition, precondition: {}, actor: ann });

const put = (context: Context, keys: string[], data: Record<string, string | number>) =>
  commitChanges(context, {
    changes: keys.map((key) => ({ collection: 'events', key, operation: 'put' as const, data })),
    dryRun: false,
    actor: ann,
  });

const logOf = async (context: Context) =>
  (
    await context.db.query<{ place: string }>(
      `SELECT revision || '.' || ordinal AS place FROM change ORDER BY revision, ordinal`,
    )
  ).map(({ place }) => place);

describe('streams of the present', () => {
  test('share their bytes, and one tail reads for all of them', async () => {
    const context = await createInstance();
    const streams = new ChangeStreams(context, { onError: fail });
    await define(context);
    const readers = await Promise.all([1, 2, 3].map(() => openStream(streams, { after: '1' })));
    await put(context, ['a', 'b'], { n: 1 });
    const [first, ...others] = await Promise.all(readers.map(({ next }) => next()));
    expect(placesIn(first ?? Buffer.alloc(0))).toEqual(['2.1', '2.2']);
    for (const bytes of others) expect(bytes).toBe(first);
  });

  test('with filters see what passes them, and move on past the rest', async () => {
    const context = await createInstance();
    const streams = new ChangeStreams(context, { onError: fail });
    await define(context);
    await define(context, {}, 'others');
    const filtered = await openStream(streams, { after: '2', collection: 'events', keyPrefix: 'b' });
    const silent = await openStream(streams, { after: '2', collection: 'others' });
    await put(context, ['a'], {});
    await put(context, ['a', 'b', 'bc'], { n: 1 });
    expect(placesIn(await filtered.next())).toEqual(['4.2', '4.3']);
    expect(silent.stream.take()).toBeNull();
    expect([filtered.stream.position, silent.stream.position]).toEqual(['4', '4']);
  });

  test('from after the last change of a commit, named within it, do not tell that change again', async () => {
    const context = await createInstance();
    const streams = new ChangeStreams(context, { onError: fail });
    await define(context);
    const follower = await openStream(streams, { after: '1' });
    await put(context, ['a', 'b'], { n: 1 });
    // It is in memory then, in a block that begins before the position.
    expect(placesIn(await follower.next())).toEqual(['2.1', '2.2']);
    const { next } = await openStream(streams, { after: '2.2' });
    await put(context, ['a'], { n: 2 });
    expect(placesIn(await next())).toEqual(['3.1']);
  });

  test('move on over commits that change no record', async () => {
    const context = await createInstance();
    const streams = new ChangeStreams(context, { onError: fail });
    await define(context);
    const { stream, next } = await openStream(streams, { after: '1' });
    await define(context, {}, 'others');
    await put(context, ['a'], {});
    expect(placesIn(await next())).toEqual(['3.1']);
    expect(stream.take()).toBeNull();
    expect(stream.position).toBe('3');
  });
});

test("a reading that fails when nobody follows any more is nobody's trouble", async () => {
  let read = () => {};
  const reading = new Promise<void>((resolve) => {
    read = resolve;
  });
  const left = new AbortController();
  const [context] = await createInstances(1, {
    wrap: (db) => ({
      ...db,
      query: async (text, values) => {
        // Of the tail, the stream itself is not behind.
        if (!text.includes('FROM change')) return await db.query<never>(text, values);
        read();
        await once(left.signal, 'abort');
        throw new Error('the database is gone');
      },
    }),
  });
  if (context === undefined) throw new Error('an instance is needed');
  const told: unknown[] = [];
  const streams = new ChangeStreams(context, { onError: (error) => told.push(error) });
  await define(context);
  const { stream, next } = await openStream(streams, { after: '1' });
  next().catch(() => {});
  await put(context, ['a'], {});
  await reading;
  stream.close();
  left.abort();
  await context.db.query('SELECT 1');
  expect(told).toEqual([]);
});

test('what is in memory is bounded, whatever is committed, in however many views', async () => {
  const context = await createInstance();
  const maxBytes = 256 * 1024;
  const streams = new ChangeStreams(context, { onError: fail, maxBytes });
  await define(context);
  const follower = await openStream(streams, { after: '1' });
  const filtered = await Promise.all(
    Array.from({ length: 40 }, (_, index) => openStream(streams, { after: '1', keyPrefix: `k${index}` })),
  );
  const keys = Array.from({ length: 40 }, (_, index) => `k${index}`);
  const seen: string[] = [];
  let most = 0;
  for (let turn = 0; turn < 20; turn += 1) {
    await put(context, keys, { turn, text: 'x'.repeat(1000) });
    while (seen.length < (turn + 1) * keys.length) seen.push(...placesIn(await follower.next()));
    for (const { stream } of filtered) stream.take();
    most = Math.max(most, streams.bytes);
  }
  expect(most).toBeLessThanOrEqual(maxBytes);
  expect(most).toBeGreaterThan(maxBytes / 2);
  expect(seen).toEqual(await logOf(context));
});

test('readers that stop and go on, on two instances with hardly any memory, see all in order and once', async () => {
  const [one, two] = await createInstances(2);
  if (!one || !two) throw new Error('two instances are needed');
  const streams = [one, two].map(
    (context) => new ChangeStreams(context, { onError: fail, maxBytes: 20_000 }),
  );
  await define(one);
  const changes = size(600, 20_000);
  const random = randomFrom(7);
  let isOver = false;
  const readers = Array.from({ length: 8 }, async (_, index) => {
    const pick = randomFrom(index);
    const seen: string[] = [];
    let after = '0';
    // Each stream is left after a while for another one, on either instance.
    while (!isOver || seen.length < (await logOf(one)).length) {
      const { stream, next } = await openStream(pick.pick(streams), { after });
      for (let parts = pick.below(12); parts >= 0; parts -= 1) {
        if (isOver && seen.length >= (await logOf(one)).length) break;
        seen.push(...placesIn(await next()));
        after = stream.position;
        if (pick.chance(0.3))
          await one.heads.waitAbove(Number.MAX_SAFE_INTEGER, { timeoutMs: pick.below(20) });
      }
      stream.close();
    }
    return seen;
  });
  for (let written = 0; written < changes; ) {
    const keys = Array.from(
      { length: 1 + random.below(random.chance(0.1) ? 80 : 5) },
      (_, index) => `k${index}`,
    );
    await put(random.pick([one, two]), keys, { n: written, text: 'x'.repeat(random.below(2000)) });
    written += keys.length;
  }
  isOver = true;
  const log = await logOf(one);
  for (const seen of await Promise.all(readers)) expect(seen).toEqual(log);
});

test('a reader that retention has overtaken is told so, and its stream ends', async () => {
  const context = await createInstance();
  const streams = new ChangeStreams(context, { onError: fail, maxBytes: 1 });
  await define(context, { retention: { keepVersions: 1, onExpire: 'delete' } });
  await put(context, ['a'], { n: 1 });
  const { next } = await openStream(streams, { after: '1' });
  await put(context, ['a'], { n: 2 });
  await put(context, ['a'], { n: 3 });
  await runRetention(context, { collection: 'events', dryRun: false, actor: { name: 'ann', admin: true } });
  await expect(
    (async () => {
      for (;;) await next();
    })().catch((error: unknown) => Promise.reject(new Error(codeOf(error)))),
  ).rejects.toThrow('position-expired');
});
