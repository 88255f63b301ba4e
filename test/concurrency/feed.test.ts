import { describe, expect, test } from 'vitest';
import { commitChanges } from '../../src/commands/commit-changes.js';
import { putCollection } from '../../src/commands/put-collection.js';
import type { ChangeView } from '../../src/domain/commit.js';
import { auditStore } from '../support/audit.js';
import { codeOf } from '../support/barrier.js';
import { ann, createInstances } from '../support/context.js';
import { readViews } from '../support/feed.js';
import { size } from '../support/size.js';

const collection = 'events';
const writers = 16;
const changes = size(600, 10_000);
const limit = 7;

describe('a poller of the feed beside 16 writers on two instances', () => {
  test('misses nothing, sees nothing twice, and sees it in order', async () => {
    const [one, two] = await createInstances(2);
    if (!one || !two) throw new Error('two instances are needed');
    await putCollection(one, {
      collection,
      definition: { rules: [{ id: 'even', assert: 'data.n % 10 != 9', message: 'refused on purpose' }] },
      precondition: {},
      actor: ann,
    });
    let written = 0;
    let refused = 0;
    const write = async (writer: number) => {
      for (let turn = 0; written < changes; turn += 1) {
        const members = 1 + ((writer + turn) % 4);
        const group = Array.from({ length: members }, (_, member) => ({
          collection,
          key: `w${writer}-${member}`,
          operation: 'put' as const,
          data: { n: turn * 10 + ((turn + writer) % 10), member },
        }));
        try {
          const { result } = await commitChanges(writer % 2 ? one : two, {
            changes: group,
            dryRun: false,
            actor: ann,
          });
          written += result.changeCount;
        } catch (error) {
          expect(codeOf(error)).toBe('validation-failed');
          refused += 1;
        }
      }
    };
    const seen: ChangeView[] = [];
    const pages: ChangeView[][] = [];
    let isWriting = true;
    const poll = async () => {
      for (let after = '0'; ; ) {
        const wasWriting = isWriting;
        const page = await readViews(one, { after, limit });
        if (page.changes.length > 0) pages.push(page.changes);
        seen.push(...page.changes);
        after = page.next;
        if (!wasWriting && page.changes.length === 0) return;
      }
    };
    const polling = poll();
    await Promise.all(Array.from({ length: writers }, (_, writer) => write(writer)));
    isWriting = false;
    await polling;

    const truth = await one.db.query<{ position: string }>(
      `SELECT revision || '.' || ordinal AS position FROM change ORDER BY revision, ordinal`,
    );
    expect(seen.map((change) => `${change.revision}.${change.ordinal}`)).toEqual(
      truth.map((row) => row.position),
    );
    expect(truth.length).toBeGreaterThanOrEqual(changes);
    expect(refused).toBeGreaterThan(0);
    for (const page of pages) {
      const last = page.at(-1);
      const whole = truth.filter((row) => row.position.startsWith(`${last?.revision}.`)).length;
      expect(page.filter((change) => change.revision === last?.revision)).toHaveLength(whole);
    }
    expect(await auditStore(one.db)).toEqual([]);
  });

  test('negative control: a poller over a sequence without the lock misses entries', async () => {
    const [context] = await createInstances(1, { poolSize: 4 });
    if (!context) throw new Error('no instance');
    const { pool } = context.db;
    await pool.query('CREATE TABLE naive (id bigserial PRIMARY KEY)');
    const slow = await pool.connect();
    try {
      // The slow writer takes the smaller number and commits after the poller has gone past it.
      await slow.query('BEGIN');
      await slow.query('INSERT INTO naive DEFAULT VALUES');
      await pool.query('INSERT INTO naive DEFAULT VALUES');
      const poll = async (after: number) =>
        (
          await pool.query<{ id: number }>('SELECT id FROM naive WHERE id > $1 ORDER BY id', [after])
        ).rows.map((row) => row.id);
      const first = await poll(0);
      await slow.query('COMMIT');
      const second = await poll(Math.max(...first));
      expect([...first, ...second]).toEqual([2]);
    } finally {
      slow.release();
    }
  });
});
