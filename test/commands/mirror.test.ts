import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import pg from 'pg';
import { describe, expect, onTestFinished, test } from 'vitest';
import { commitChanges } from '../../src/commands/commit-changes.js';
import { type Context, createContext } from '../../src/commands/context.js';
import { deleteCollection } from '../../src/commands/delete-collection.js';
import { rehearseDefinition } from '../../src/commands/rehearse-definition.js';
import { revertCommit } from '../../src/commands/revert-commit.js';
import { rollbackRecord } from '../../src/commands/rollback-record.js';
import { stagePending } from '../../src/commands/stage-pending.js';
import type { Definition } from '../../src/domain/collection.js';
import type { JsonObject } from '../../src/lib/json-value.js';
import { openDatabase } from '../../src/store/db.js';
import { archiving, deleting } from '../support/api.js';
import { auditStore } from '../support/audit.js';
import { codeOf } from '../support/barrier.js';
import { ann, createInstance } from '../support/context.js';
import { auditMirrors, listMirrors, readMirror } from '../support/mirror.js';
import { commitWhole, define, openChangeset } from '../support/release.js';
import { retain } from '../support/retention.js';
import { size } from '../support/size.js';

const anything = { ifMatch: { any: true as const } };
const mirrored: Definition = { mirror: true };

async function commit(context: Context, collection: string, records: Record<string, JsonObject | null>) {
  const changes = Object.entries(records).map(([key, data]) =>
    data === null
      ? { collection, key, operation: 'delete' as const }
      : { collection, key, operation: 'put' as const, data },
  );
  return (await commitChanges(context, { changes, dryRun: false, actor: ann })).result.revision;
}

const keysOf = async (context: Context, collection: string) =>
  (await readMirror(context.db, collection))?.map(({ key }) => key) ?? null;

describe('a mirror', () => {
  test('is off by default: there is no table, and nothing is published', async () => {
    const context = await createInstance();
    await define(context, 'things', {});
    await commit(context, 'things', { a: {} });
    expect(await listMirrors(context.db)).toEqual({ tables: [], published: [] });
  });

  test('has all live records once it is turned on, and goes when it is turned off', async () => {
    const context = await createInstance();
    await define(context, 'things', {});
    await commit(context, 'things', { a: { n: 1 }, b: { n: 1 }, gone: {} });
    await commit(context, 'things', { a: { n: 2 }, gone: null });
    await define(context, 'things', mirrored, anything);
    expect(await keysOf(context, 'things')).toEqual(['a', 'b']);
    expect(await auditMirrors(context.db)).toEqual([]);
    await define(context, 'things', { ...mirrored, title: 'Things' }, anything);
    expect(await auditMirrors(context.db)).toEqual([]);
    await define(context, 'things', { mirror: false }, anything);
    expect(await listMirrors(context.db)).toEqual({ tables: [], published: [] });
    await commit(context, 'things', { c: {} });
    await define(context, 'things', mirrored, anything);
    expect(await keysOf(context, 'things')).toEqual(['a', 'b', 'c']);
  });

  test('stays the same table while definitions come and go that all ask for it', async () => {
    const context = await createInstance();
    await define(context, 'things', mirrored);
    const oid = async () => await context.db.query(`SELECT 'mirror.things'::regclass::oid AS oid`);
    const first = await oid();
    await define(context, 'things', { ...mirrored, indexes: ['/n'] }, anything);
    expect(await oid()).toEqual(first);
  });

  test('goes with its collection, and comes back with it', async () => {
    const context = await createInstance();
    await define(context, 'things', mirrored);
    await commit(context, 'things', { a: {} });
    await commit(context, 'things', { a: null });
    await deleteCollection(context, { collection: 'things', precondition: {}, actor: ann });
    expect(await listMirrors(context.db)).toEqual({ tables: [], published: [] });
    await define(context, 'things', mirrored);
    await commit(context, 'things', { a: { again: true } });
    expect(await keysOf(context, 'things')).toEqual(['a']);
    expect(await auditMirrors(context.db)).toEqual([]);
  });

  test('is not touched by a rehearsal of its definition', async () => {
    const context = await createInstance();
    await define(context, 'things', {});
    await commit(context, 'things', { a: {} });
    const rehearse = (definition: Definition) =>
      rehearseDefinition(context, { collection: 'things', definition, actor: ann });
    expect(await rehearse(mirrored)).toMatchObject({ live: { checked: 1, failing: 0 } });
    expect((await listMirrors(context.db)).tables).toEqual([]);
    await define(context, 'things', mirrored, anything);
    await rehearse({});
    expect((await listMirrors(context.db)).tables).toEqual(['things']);
  });

  test.each([archiving, deleting])(
    'keeps what it has when retention takes old versions: %j',
    async (policy) => {
      const context = await createInstance();
      await define(context, 'things', { ...mirrored, ...policy } as Definition);
      for (let n = 0; n < 4; n += 1) await commit(context, 'things', { a: { n }, b: { n } });
      const before = await readMirror(context.db, 'things');
      await retain(context);
      expect(await readMirror(context.db, 'things')).toEqual(before);
      const back = {
        collection: 'things',
        key: 'a',
        toVersion: 1,
        force: false,
        precondition: {},
        actor: ann,
      };
      const outcome = await rollbackRecord(context, back).then(() => 'done', codeOf);
      expect(outcome).toBe(policy === archiving ? 'done' : 'version-expired');
      expect(await auditMirrors(context.db)).toEqual([]);
    },
  );

  test('that somebody dropped is made anew by the next commit', async () => {
    const context = await createInstance();
    await define(context, 'things', mirrored);
    await commit(context, 'things', { a: { n: 1 }, b: { n: 1 } });
    await context.db.queryOnce('DROP TABLE mirror.things');
    await commit(context, 'things', { a: { n: 2 }, c: { n: 1 } });
    expect(await keysOf(context, 'things')).toEqual(['a', 'b', 'c']);
    expect(await auditStore(context.db)).toEqual([]);
  });
});

const longest = `l${'o'.repeat(61)}ng`.slice(0, 63);

test.each([
  ['a-b', 'a_b'],
  [longest, `${longest.slice(0, 62)}x`],
  ['select', 'table'],
  ['user', 'mirror'],
  ['things', 'things_pkey'],
  ['collection', 'change'],
  ['a_1_pkey', 'pg_class'],
])('collections named %s and %s have mirrors of these names', async (one, two) => {
  const context = await createInstance();
  for (const name of [one, two]) {
    await define(context, name, mirrored);
    await commit(context, name, { a: { name }, 'b"\'%I': { name } });
    await commit(context, name, { a: null });
  }
  expect((await listMirrors(context.db)).tables).toEqual([one, two].sort());
  expect(await auditMirrors(context.db)).toEqual([]);
  for (const name of [one, two]) await define(context, name, {}, anything);
  expect((await listMirrors(context.db)).tables).toEqual([]);
});

describe('a role with rights on the mirrors alone', () => {
  async function startReader() {
    const context = await createInstance();
    const { db } = context;
    const role = `reader_${randomBytes(6).toString('hex')}`;
    await db.queryOnce(`CREATE ROLE ${role} LOGIN PASSWORD 'reader';
      GRANT USAGE ON SCHEMA mirror TO ${role};
      GRANT SELECT ON ALL TABLES IN SCHEMA mirror TO ${role};
      ALTER DEFAULT PRIVILEGES IN SCHEMA mirror GRANT SELECT ON TABLES TO ${role}`);
    await define(context, 'things', mirrored);
    await commit(context, 'things', { a: { n: 1 } });
    await stagePending(context, {
      collection: 'things',
      key: 'a',
      changeset: null,
      staged: { operation: 'upsert', data: { secret: true } },
      precondition: {},
      actor: ann,
    });
    const url = new URL(db.pool.options.connectionString ?? '');
    url.username = role;
    url.password = 'reader';
    const client = new pg.Client({ connectionString: url.href });
    await client.connect();
    onTestFinished(async () => {
      await client.end();
      await db.queryOnce(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
    });
    const outcome = (sql: string) =>
      client.query(sql).then(
        () => 'allowed',
        (error: Error) => error.message,
      );
    return { client, outcome };
  }

  test('reads what is committed, of collections to come as well, and nothing that is pending', async () => {
    const { client, outcome } = await startReader();
    expect((await client.query('SELECT key, data FROM mirror.things')).rows).toEqual([
      { key: 'a', data: '{"n":1}' },
    ]);
    for (const table of ['version', 'record', 'changeset', 'change', 'commit', 'idempotency', 'index_entry'])
      expect(await outcome(`SELECT * FROM ${table}`)).toBe(`permission denied for table ${table}`);
  });

  test('neither writes a mirror nor locks commits out of it', async () => {
    const { outcome } = await startReader();
    for (const sql of [
      `INSERT INTO mirror.things VALUES ('b', 1, 1, now(), 'eve', '{}')`,
      `UPDATE mirror.things SET data = '{}'`,
      'DELETE FROM mirror.things',
      'TRUNCATE mirror.things',
      'DROP TABLE mirror.things',
      'CREATE TABLE mirror.mine ()',
      'SELECT * FROM mirror.things FOR UPDATE',
    ])
      expect([sql, await outcome(sql)]).toEqual([
        sql,
        expect.stringMatching(/^(permission denied|must be owner)/),
      ]);
    for (const mode of ['SHARE', 'SHARE ROW EXCLUSIVE', 'EXCLUSIVE', 'ACCESS EXCLUSIVE']) {
      await outcome('BEGIN');
      expect(await outcome(`LOCK TABLE mirror.things IN ${mode} MODE`)).toMatch(/^permission denied/);
      await outcome('ROLLBACK');
    }
  });
});

describe('an instance whose role may only read and write the tables of the service', () => {
  async function startHumble() {
    const context = await createInstance();
    const { db } = context;
    const role = `humble_${randomBytes(6).toString('hex')}`;
    await db.queryOnce(`CREATE ROLE ${role} LOGIN PASSWORD 'humble';
      GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO ${role};
      GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO ${role};
      GRANT CREATE ON SCHEMA public TO ${role}`);
    const url = new URL(db.pool.options.connectionString ?? '');
    url.username = role;
    url.password = 'humble';
    const humble = openDatabase({ url: url.href, poolSize: 2 });
    onTestFinished(async () => {
      await humble.close();
      await db.queryOnce(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
    });
    return { db, humble, service: createContext(humble, { maxRecordBytes: 1_000_000 }) };
  }

  test('turns mirrors on and off, and commits to them', async () => {
    const { db, service } = await startHumble();
    await define(service, 'things', {});
    await commit(service, 'things', { a: { n: 1 }, b: {} });
    await define(service, 'things', mirrored, anything);
    await commit(service, 'things', { a: { n: 2 }, b: null, c: {} });
    expect((await readMirror(db, 'things'))?.map(({ key }) => key)).toEqual(['a', 'c']);
    expect(await auditStore(db)).toEqual([]);
    await define(service, 'things', {}, anything);
    expect((await listMirrors(db)).tables).toEqual([]);
  });

  test('cannot make what keeps the mirrors write what it says', async () => {
    const { humble } = await startHumble();
    await humble.queryOnce('CREATE TABLE forged AS SELECT * FROM change LIMIT 0');
    await expect(
      humble.queryOnce(
        'CREATE TRIGGER forged AFTER INSERT ON forged REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION mirror_changes()',
      ),
    ).rejects.toThrow('permission denied for function mirror_changes');
  });
});

const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      type: fc.constant('put' as const),
      keys: fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd'), { minLength: 1 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ type: fc.constant('delete' as const), key: fc.constantFrom('a', 'b') }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      type: fc.constant('rollback' as const),
      key: fc.constantFrom('a', 'b', 'c'),
      to: fc.integer({ min: 1, max: 5 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ type: fc.constant('revert' as const), back: fc.integer({ min: 0, max: 3 }) }),
  },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('changeset' as const), commits: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('retain' as const) }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('define' as const), mirror: fc.boolean() }) },
);
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;

let histories = 0;

/** Lets a history happen, refusals and all; answers where a mirror was other than what is live, after any step. */
async function play(context: Context, steps: Step[]): Promise<string[]> {
  histories += 1;
  const collection = `history-${histories}`;
  await define(context, collection, mirrored);
  let revision = 0;
  let n = 0;
  const perform = async (action: Step) => {
    n += 1;
    switch (action.type) {
      case 'put':
        revision = await commit(
          context,
          collection,
          Object.fromEntries(action.keys.map((key) => [key, { n }])),
        );
        return;
      case 'delete':
        revision = await commit(context, collection, { [action.key]: null });
        return;
      case 'rollback': {
        const at = { collection, key: action.key, toVersion: action.to };
        const back = await rollbackRecord(context, { ...at, force: false, precondition: {}, actor: ann });
        revision = back.result.revision;
        return;
      }
      case 'revert':
        await revertCommit(context, {
          revision: revision - action.back,
          dryRun: false,
          force: false,
          actor: ann,
        });
        return;
      case 'changeset': {
        const members = ['a', 'c', `new-${n}`].map((key) => ({ collection, key, data: { n } }));
        const id = await openChangeset(context, [...members, { collection, key: 'b', data: null }]);
        if (action.commits) await commitWhole(context, id);
        return;
      }
      case 'retain':
        await retain(context, {}, collection);
        return;
      case 'define': {
        const definition = {
          mirror: action.mirror,
          retention: { keepVersions: 1, onExpire: 'archive' as const },
        };
        await define(context, collection, definition, anything);
      }
    }
  };
  for (const [index, action] of steps.entries()) {
    await perform(action).catch(codeOf);
    const wrong = await auditMirrors(context.db);
    if (wrong.length > 0) return [`after step ${index}`, ...wrong];
  }
  return [];
}

const history = fc.array(step, { minLength: 6, maxLength: size(16, 30), size: 'max' });

describe('random histories', () => {
  test('leave each mirror as exactly the live records, after every step', async () => {
    const context = await createInstance();
    await fc.assert(
      fc.asyncProperty(history, async (steps) => {
        expect(await play(context, steps)).toEqual([]);
      }),
      { numRuns: size(12, 200), endOnFailure: true },
    );
    expect(await auditStore(context.db)).toEqual([]);
  });

  test.each([
    ['is not kept', 'DROP TRIGGER change_mirrored ON change'],
    [
      'keeps what is deleted',
      `CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
       CREATE FUNCTION keep_deleted() RETURNS event_trigger LANGUAGE plpgsql AS $$
       DECLARE made record;
       BEGIN
         FOR made IN SELECT * FROM pg_event_trigger_ddl_commands() WHERE schema_name = 'mirror' AND object_type = 'table' LOOP
           EXECUTE format('CREATE OR REPLACE TRIGGER keep BEFORE DELETE ON %s FOR EACH ROW EXECUTE FUNCTION keep()', made.object_identity);
         END LOOP;
       END $$;
       CREATE EVENT TRIGGER keep_deleted ON ddl_command_end WHEN TAG IN ('CREATE TABLE') EXECUTE FUNCTION keep_deleted()`,
    ],
  ])('negative control: a mirror that %s is found', async (_, sql) => {
    const context = await createInstance();
    await context.db.queryOnce(sql);
    let wrong: string[] = [];
    await fc.check(
      fc.asyncProperty(history, async (steps) => {
        wrong = await play(context, steps);
        return wrong.length === 0;
      }),
      { numRuns: 50, endOnFailure: true },
    );
    expect(wrong.join()).toContain('is not what is live');
  });
});
