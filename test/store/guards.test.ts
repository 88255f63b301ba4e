import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { commitChanges } from '../../src/commands/commit-changes.js';
import { createContext } from '../../src/commands/context.js';
import { createWebhook } from '../../src/commands/create-webhook.js';
import { discardChangeset } from '../../src/commands/discard-changeset.js';
import { putCollection } from '../../src/commands/put-collection.js';
import { stagePending } from '../../src/commands/stage-pending.js';
import { openDatabase } from '../../src/store/db.js';
import { ann } from '../support/context.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { approve, commitWhole, openChangeset, scheduleFor } from '../support/release.js';

// A store with some life in it: brand b; product x with versions 1 and 2 (current) and a pending one, which
// refers to b; product y with version 1; product z, deleted; product v with versions 1, the base of a pending
// one, and 2; product w with versions 1 (its data deleted), 2 (archived), 3 (above the horizon) and 4. A
// changeset in each state: $open with a pending version of product m, $empty, $scheduled with one of product n,
// $committed (approved by bob), $discarded. Names in the attacks: $x, $x1, $x2, $xp, …
let database: TestDatabase;
let client: pg.Client;
let names: Record<string, string>;

beforeAll(async () => {
  database = await createTestDatabase();
  const db = openDatabase({ url: database.url, poolSize: 2 });
  const context = createContext(db, { maxRecordBytes: 1_000_000 });
  const put = (collection: string, key: string, data: Record<string, string>) => ({
    collection,
    key,
    operation: 'put' as const,
    data,
  });
  const commit = (changes: Parameters<typeof commitChanges>[1]['changes']) =>
    commitChanges(context, { changes, dryRun: false, actor: ann });
  const definition = { mirror: true };
  await putCollection(context, { collection: 'brands', definition, precondition: {}, actor: ann });
  await putCollection(context, {
    collection: 'products',
    definition: { unique: [['/sku']], references: [{ pointer: '/brand', collection: 'brands' }] },
    precondition: {},
    actor: ann,
  });
  await commit([
    put('brands', 'b', {}),
    put('products', 'x', { sku: '1', brand: 'b' }),
    put('products', 'z', { sku: '9' }),
  ]);
  await commit([put('products', 'x', { sku: '2', brand: 'b' }), put('products', 'y', { sku: '3' })]);
  await commit([{ collection: 'products', key: 'z', operation: 'delete' }]);
  await commit([put('products', 'm', { sku: 'm1' }), put('products', 'n', { sku: 'n1' })]);
  const changesets = {
    open: await openChangeset(context, [{ collection: 'products', key: 'm', data: { sku: 'm2' } }]),
    empty: await openChangeset(context, []),
    scheduled: await openChangeset(context, [{ collection: 'products', key: 'n', data: { sku: 'n2' } }]),
    committed: await openChangeset(context, [{ collection: 'products', key: 'o', data: { sku: 'o1' } }]),
    discarded: await openChangeset(context, []),
  };
  await scheduleFor(context, changesets.scheduled);
  await approve(context, changesets.committed, 'bob');
  await commitWhole(context, changesets.committed);
  const anything = { ifMatch: { any: true as const } };
  await discardChangeset(context, { id: changesets.discarded, precondition: anything, actor: ann });
  const staged = { operation: 'upsert' as const, data: { sku: '4', brand: 'b' } };
  await stagePending(context, {
    collection: 'products',
    key: 'x',
    changeset: null,
    staged,
    precondition: {},
    actor: ann,
  });
  await commit([put('products', 'v', { sku: 'v1' }), put('products', 'w', { sku: 'w1' })]);
  await stagePending(context, {
    collection: 'products',
    key: 'v',
    changeset: null,
    staged: { operation: 'upsert', data: { sku: 'v3' } },
    precondition: {},
    actor: ann,
  });
  await commit([put('products', 'v', { sku: 'v2' }), put('products', 'w', { sku: 'w2' })]);
  const { result } = await commit([put('products', 'w', { sku: 'w3' })]);
  await commit([put('products', 'w', { sku: 'w4' })]);
  await db.query(`UPDATE collection SET horizon = $1 WHERE name = 'products'`, [result.revision]);
  for (const [number, archive] of [
    [1, null],
    [2, Buffer.from('archive')],
  ]) {
    await db.query(
      `UPDATE version SET content = NULL, archive = $2, expired_at = now()
       WHERE number = $1 AND record_id = (SELECT id FROM record WHERE key = 'w')`,
      [number, archive],
    );
  }
  const everything = { description: null, collection: null, keyPrefix: null };
  await createWebhook(context, { url: 'https://shop.example/', ...everything, actor: ann });
  await db.close();
  client = new pg.Client({ connectionString: database.url });
  await client.connect();
  const { rows } = await client.query<{ name: string; id: string }>(
    `SELECT '$' || key AS name, id FROM record
     UNION ALL SELECT '$' || key || coalesce(number::text, 'p'), v.id FROM version v JOIN record r ON r.id = v.record_id
     UNION ALL SELECT '$' || c.name || 'D', d.id FROM definition d JOIN collection c ON c.id = d.collection_id
     UNION ALL SELECT '$' || name || 'C', id FROM collection`,
  );
  names = Object.fromEntries([
    ...rows.map(({ name, id }) => [name, String(id)]),
    ...Object.entries(changesets).map(([name, id]) => [`$${name}`, `'${id}'::uuid`]),
  ]);
});

afterAll(async () => {
  await client.end();
  await database.drop();
});

/** Plain SQL that would break a promise, and the names of all guards in its way, the one that speaks first. */
interface Attack {
  promise: string;
  sql: string;
  guards: string[];
}

const zeros = `decode(repeat('00', 32), 'hex')`;

/** What a commit says; `told…` is what its content says of the same. */
interface CommitOptions {
  count?: number;
  previous?: string;
  at?: string;
  content?: string;
  hash?: string;
  kind?: string;
  changeset?: string;
  reverts?: string;
  toldChangeset?: string;
  toldReverts?: string;
}

const next = '(SELECT max(revision) + 1 FROM commit)';
const lastHash = '(SELECT hash FROM commit ORDER BY revision DESC LIMIT 1)';

/** A commit of this revision, with content that agrees, unless it is altered. */
const commitOf = (
  revision: string,
  {
    count = 1,
    previous = lastHash,
    at = 'now()',
    content = 'c.content',
    hash = `sha256(convert_to(c.content, 'UTF8'))`,
    kind = 'commit',
    changeset = 'NULL::uuid',
    reverts = 'NULL::bigint',
    toldChangeset = changeset,
    toldReverts = reverts,
  }: CommitOptions = {},
) => `
  SELECT c.revision, '${kind}' AS kind, ${at} AS committed_at, 'eve' AS author, ${count} AS change_count, ${content} AS content,
         ${previous} AS previous_hash, ${hash} AS hash, ${changeset} AS changeset_id, ${reverts} AS reverts
  FROM (SELECT ${revision} AS revision,
    json_build_object('revision', ${revision}, 'kind', '${kind}', 'author', 'eve', 'message', null, 'forced', false,
                      'changeset', ${toldChangeset}, 'reverts', ${toldReverts},
                      'changeCount', ${count}, 'previousHash', encode(${previous}, 'hex'))::text AS content) AS c`;
const commitRow = (revision: string, options?: CommitOptions) =>
  `INSERT INTO commit (revision, kind, committed_at, author, change_count, content, previous_hash, hash, changeset_id, reverts)
   ${commitOf(revision, options)};`;
/** SQL that appends the next commit in the good way: the head first, which the commit has to be within. */
const append = (options?: CommitOptions, revision = next) =>
  `UPDATE head SET revision = c.revision, hash = c.hash, committed_at = c.committed_at FROM (${commitOf(revision, options)}) AS c;
   ${commitRow(revision, options)}`;
const pointer = (record: string, version: string) =>
  `UPDATE record SET revision = (SELECT max(revision) FROM commit), current_version_id = ${version} WHERE id = ${record};`;
const entry = (record: string, before: string, after: string, ordinal = 1) =>
  `INSERT INTO change (revision, ordinal, record_id, collection_id, before_version_id, after_version_id)
   SELECT (SELECT max(revision) FROM commit), ${ordinal}, ${record}, $productsC, ${before}, ${after};`;
const version = (columns: string, values: string) =>
  `INSERT INTO version (record_id, content, digest, staged_by, staged_at, updated_at${columns})
   VALUES ($x, '{}', sha256('{}'), '{eve}', now(), now()${values});`;

const expire = (version: string, archive: string) =>
  `UPDATE version SET content = NULL, archive = ${archive}, expired_at = now() WHERE id = ${version};`;

/** The rest of a commit that moves x back to version 1. */
const rest = entry('$x', '$x2', '$x1') + pointer('$x', '$x1');
/** The rest of a commit that makes the member m of the open changeset current. */
const restOfMember =
  `UPDATE version SET revision = (SELECT max(revision) FROM commit), number = 2 WHERE id = $mp;` +
  entry('$m', '$m1', '$mp') +
  pointer('$m', '$mp');
const close = (changeset: string, state: string) =>
  `UPDATE changeset SET state = '${state}', closed_by = 'eve', closed_at = now() WHERE id = ${changeset};`;

const attacks: Attack[] = [
  {
    promise: '1 the pointer leads to no pending version',
    sql: append() + pointer('$x', '$xp'),
    guards: ['record_current_version_fkey', 'record_pointer_agrees', 'head_log_is_whole'],
  },
  {
    promise: '1 the pointer leads to no version of another record',
    sql: append() + pointer('$x', '$y1'),
    guards: ['record_current_version_fkey', 'record_pointer_agrees', 'head_log_is_whole'],
  },
  {
    promise: '1 a current version cannot be un-committed',
    sql: `UPDATE version SET revision = NULL, number = NULL WHERE id = $y1;`,
    guards: ['record_current_version_fkey', 'version_immutable'],
  },
  {
    promise: '1 the constant part of the pointer stays',
    sql: `UPDATE record SET current_readable = false WHERE id = $x;`,
    guards: ['record_current_readable', 'record_current_version_fkey'],
  },
  {
    promise: '2 committed content never changes',
    sql: `UPDATE version SET content = '{"sku":"0"}', digest = sha256('{"sku":"0"}') WHERE id = $x1;`,
    guards: ['version_immutable'],
  },
  {
    promise: '2 a pending version keeps its record',
    sql: `UPDATE version SET record_id = $y, base_version_id = NULL WHERE id = $xp;`,
    guards: ['version_identity'],
  },
  {
    promise: '3 a committed version is never deleted',
    sql: `DELETE FROM version WHERE id = $z1;`,
    guards: ['version_immutable'],
  },
  {
    promise: '3 versions are never truncated',
    sql: `TRUNCATE version CASCADE;`,
    guards: ['version_never_truncated', 'change_never_truncated', 'record_never_truncated'],
  },
  { promise: '4 one pending version per record', sql: version('', ''), guards: ['version_one_pending'] },
  {
    promise: '4 one pending version per record and changeset',
    sql: `INSERT INTO changeset (id, title, created_by) VALUES ('$uuid', 't', 'eve');${version(', changeset_id', `, '$uuid'`)}${version(', changeset_id', `, '$uuid'`)}`,
    guards: ['version_one_pending'],
  },
  {
    promise: '5 version numbers leave no gap',
    sql: append() + version(', revision, number', `, (SELECT max(revision) FROM commit), 4`),
    guards: ['version_inserted_follows', 'head_log_is_whole'],
  },
  {
    promise: '5 version numbers are given once',
    sql: append() + version(', revision, number', `, (SELECT max(revision) FROM commit), 2`),
    guards: ['version_record_id_number_key', 'head_log_is_whole'],
  },
  {
    promise: '5 a pending version becomes none that leaves a gap',
    sql:
      append({ changeset: '$open' }) +
      restOfMember.replace('number = 2', 'number = 3') +
      close('$open', 'committed'),
    guards: ['version_committed_follows'],
  },
  {
    promise: '5 a committed version belongs to a commit',
    sql: version(', revision, number', `, 1000000, 3`),
    guards: ['version_inserted_follows'],
  },
  {
    promise: '6 revisions leave no gap',
    sql: append({}, '(SELECT max(revision) + 2 FROM commit)') + rest,
    guards: ['commit_follows', 'head_log_is_whole'],
  },
  {
    promise: '6 revisions are given once',
    sql: commitRow('(SELECT max(revision) FROM commit)', {
      previous: '(SELECT previous_hash FROM commit ORDER BY revision DESC LIMIT 1)',
    }),
    guards: ['commit_pkey'],
  },
  {
    promise: '7 the head names a commit of the log',
    sql: `UPDATE head SET revision = revision + 1;`,
    guards: ['head_log_is_whole'],
  },
  {
    promise: '7 the head names the hash of its commit',
    sql: `UPDATE head SET revision = revision + 1, hash = ${zeros}, committed_at = now();${commitRow(next)}${rest}`,
    guards: ['head_log_is_whole'],
  },
  {
    promise: '7 the head names the time of its commit',
    sql: `${append().replace('committed_at = c.committed_at', `committed_at = 'infinity'`)}${rest}`,
    guards: ['head_log_is_whole'],
  },
  {
    promise: '7 the head stays as it is until there is a commit',
    sql: `UPDATE head SET hash = ${zeros};`,
    guards: ['head_moves_forward', 'head_log_is_whole'],
  },
  {
    promise: '7 the head never goes back',
    sql: `UPDATE head SET (revision, hash) = (SELECT revision, hash FROM commit WHERE revision = 1);`,
    guards: ['head_moves_forward', 'head_log_is_whole'],
  },
  { promise: '7 the head is never removed', sql: `DELETE FROM head;`, guards: ['head_never_deleted'] },
  {
    promise: '7 there is one head',
    sql: `INSERT INTO head (only_row, revision, hash, committed_at) VALUES (false, 0, ${zeros}, now());`,
    guards: ['head_only_row'],
  },
  {
    promise: '8 a pointer does not move without an entry in the history',
    sql: `UPDATE record SET revision = revision + 100, current_version_id = $x1 WHERE id = $x;`,
    guards: ['record_pointer_agrees'],
  },
  {
    promise: '8 a pointer does not move within its revision',
    sql: `UPDATE record SET current_version_id = $x1 WHERE id = $x;`,
    guards: ['record_moves_forward', 'record_pointer_agrees'],
  },
  {
    promise: '8 a pointer does not go back to an earlier revision',
    sql: `UPDATE record SET revision = (SELECT min(revision) FROM change WHERE record_id = $x), current_version_id = $x1 WHERE id = $x;`,
    guards: ['record_moves_forward'],
  },
  {
    promise: '8 a record does not begin live',
    sql: `INSERT INTO record (collection_id, key, revision) VALUES ($productsC, 'new', 1);`,
    guards: ['record_begins_empty'],
  },
  {
    promise: '8 an entry without its pointer move is refused',
    sql: append() + entry('$x', '$x2', '$x1'),
    guards: ['head_log_is_whole'],
  },
  {
    promise: '8 a pointer does not stay behind the last entry of its record',
    sql: append() + entry('$x', '$x2', '$x1') + pointer('$x', '$x1') + append() + entry('$x', '$x1', '$x2'),
    guards: ['head_log_is_whole'],
  },
  ...['$xp', '$y1'].map(
    (after): Attack => ({
      promise: `8 an entry leads only to a committed version of its record, not to ${after}`,
      sql: append() + entry('$x', '$x2', after) + append() + entry('$x', after, '$x1') + pointer('$x', '$x1'),
      guards: ['change_agrees'],
    }),
  ),
  {
    promise: '8 an entry names the collection of its record',
    sql: append() + rest.replace('$productsC', '$brandsC'),
    guards: ['change_agrees'],
  },
  {
    promise: '8 an entry that names another state than the pointer is refused',
    sql:
      append() +
      entry('$x', '$x2', '$x1') +
      pointer('$x', 'NULL') +
      `DELETE FROM unique_value WHERE record_id = $x; DELETE FROM reference WHERE source_record_id = $x;`,
    guards: ['record_pointer_agrees'],
  },
  {
    promise: '9 `before` is where the entry before it ended',
    sql: append() + entry('$x', 'NULL', '$x1') + pointer('$x', '$x1'),
    guards: ['change_agrees'],
  },
  {
    promise: '9 a change changes something',
    sql: append() + entry('$x', '$x2', '$x2') + pointer('$x', '$x2'),
    guards: ['change_moves'],
  },
  {
    promise: '9 an entry is not slipped under a later one',
    sql: append() + append() + rest + rest.replaceAll('max(revision)', 'max(revision) - 1'),
    guards: ['change_agrees', 'record_moves_forward', 'head_log_is_whole'],
  },
  ...['commit', 'change', 'definition'].flatMap((table): Attack[] => [
    {
      promise: `10 the rows of ${table} are not changed`,
      sql: `UPDATE ${table} SET revision = revision WHERE revision = (SELECT min(revision) FROM ${table});`,
      guards: [`${table}_append_only`],
    },
    {
      promise: `10 ${table} is not truncated`,
      sql: `TRUNCATE ${table} CASCADE;`,
      guards: [
        `${table}_never_truncated`,
        'commit_never_truncated',
        'change_never_truncated',
        'definition_never_truncated',
        'head_never_truncated',
        'record_never_truncated',
        'version_never_truncated',
      ],
    },
  ]),
  {
    promise: '10 entries are not removed',
    sql: `DELETE FROM change WHERE record_id = $y;`,
    guards: ['change_append_only'],
  },
  {
    promise: '11 a commit has all its changes',
    sql: append({ count: 2 }) + rest,
    guards: ['head_log_is_whole'],
  },
  {
    promise: '11 a commit has no more changes than it says',
    sql:
      append() +
      rest +
      entry('$y', '$y1', 'NULL', 2) +
      pointer('$y', 'NULL') +
      `DELETE FROM unique_value WHERE record_id = $y;`,
    guards: ['change_agrees', 'head_log_is_whole'],
  },
  {
    promise: '11 a commit that nobody can see is refused',
    sql: commitRow(next) + rest,
    guards: ['commit_follows'],
  },
  {
    promise: '12 a digest is that of the content',
    sql: `UPDATE version SET digest = sha256('x') WHERE id = $xp;`,
    guards: ['version_digest_of_content'],
  },
  {
    promise: '12 content is a JSON object',
    sql: `UPDATE version SET content = '[]', digest = sha256('[]') WHERE id = $xp;`,
    guards: ['version_content_is_object'],
  },
  {
    promise: '13 the hash is that of the content',
    sql: append({ hash: `sha256('x')` }) + rest,
    guards: ['commit_hash_of_content'],
  },
  {
    promise: '13 the content names the hash before it',
    sql:
      append({
        content: `replace(c.content, encode(${lastHash}, 'hex'), repeat('ab', 32))`,
        hash: `sha256(convert_to(replace(c.content, encode(${lastHash}, 'hex'), repeat('ab', 32)), 'UTF8'))`,
      }) + rest,
    guards: ['commit_follows'],
  },
  {
    promise: '13 the chain goes on from the commit before it',
    sql: append({ previous: `sha256('x')` }) + rest,
    guards: ['commit_follows'],
  },
  {
    promise: '14 a unique value has one holder',
    sql: `UPDATE unique_value SET digest = (SELECT digest FROM unique_value WHERE record_id = $y) WHERE record_id = $x;`,
    guards: ['unique_value_digest_key'],
  },
  {
    promise: '14 a record that is not live holds no unique value',
    sql: `INSERT INTO unique_value (collection_id, pointers, record_id, digest) VALUES ($productsC, '["/sku"]', $z, sha256('x'));`,
    guards: ['unique_value_record_fkey'],
  },
  {
    promise: '15 a reference leads to a live record',
    sql: `INSERT INTO reference (source_record_id, pointer, target_record_id) VALUES ($y, '/brand', $z);`,
    guards: ['reference_target_fkey'],
  },
  {
    promise: '15 what is referred to is not deleted',
    sql: append() + entry('$b', '$b1', 'NULL').replace('$productsC', '$brandsC') + pointer('$b', 'NULL'),
    guards: ['reference_target_fkey'],
  },
  {
    promise: '16 a definition never changes',
    sql: `UPDATE definition SET content = '{}', digest = sha256('{}') WHERE id = $productsD;`,
    guards: ['definition_append_only'],
  },
  {
    promise: '16 a collection is held to its own definition',
    sql: `UPDATE collection SET definition_id = $brandsD WHERE id = $productsC;`,
    guards: ['collection_definition_fkey'],
  },
  {
    promise: '17 commit times never go back',
    sql: append({ at: `timestamptz '2001-01-01'` }) + rest,
    guards: ['commit_follows'],
  },
  ...['$scheduled', '$committed', '$discarded'].map(
    (changeset): Attack => ({
      promise: `23 nothing is staged into a changeset that is not open: ${changeset}`,
      sql: version(', changeset_id', `, ${changeset}`),
      guards: ['version_in_open_changeset'],
    }),
  ),
  {
    promise: '23 a member of a scheduled changeset is not edited',
    sql: `UPDATE version SET content = '{}', digest = sha256('{}') WHERE id = $np;`,
    guards: ['version_in_open_changeset'],
  },
  {
    promise: '23 a member of a scheduled changeset gets no other base',
    sql: `UPDATE version SET base_version_id = NULL WHERE id = $np;`,
    guards: ['version_in_open_changeset'],
  },
  {
    promise: '23 a pending version stays in its changeset',
    sql: `UPDATE version SET changeset_id = $empty WHERE id = $mp;`,
    guards: ['version_identity'],
  },
  ...['$committed', '$discarded'].map(
    (changeset): Attack => ({
      promise: `24 a changeset that is closed does not open again: ${changeset}`,
      sql: `UPDATE changeset SET state = 'open', closed_by = NULL, closed_at = NULL WHERE id = ${changeset};`,
      guards: ['changeset_states'],
    }),
  ),
  ...['committed', 'discarded'].map(
    (state): Attack => ({
      promise: `24 a changeset that is ${state} holds nothing that waits`,
      sql: close('$open', state),
      guards: ['changeset_states'],
    }),
  ),
  {
    promise: '24 what a closed changeset says of itself stays',
    sql: `UPDATE changeset SET closed_by = 'mallory' WHERE id = $committed;`,
    guards: ['changeset_states'],
  },
  {
    promise: '24 edits of a changeset are counted upwards, so that no approval becomes valid again',
    sql: `UPDATE changeset SET edit = edit - 1 WHERE id = $open;`,
    guards: ['changeset_states'],
  },
  {
    promise: '24 a changeset is in a known state',
    sql: `UPDATE changeset SET state = 'frozen' WHERE id = $empty;`,
    guards: ['changeset_state_known'],
  },
  {
    promise: '24 a closed changeset says who closed it, and when',
    sql: `UPDATE changeset SET state = 'discarded' WHERE id = $empty;`,
    guards: ['changeset_closed_complete'],
  },
  {
    promise: '24 an open changeset has not been closed by anybody',
    sql: close('$empty', 'open'),
    guards: ['changeset_closed_complete'],
  },
  {
    promise: '24 a scheduled changeset has its moment, and who gave it',
    sql: `UPDATE changeset SET state = 'scheduled', commit_at = now() WHERE id = $open;`,
    guards: ['changeset_schedule_complete'],
  },
  {
    promise: '24 changesets are never truncated',
    sql: `TRUNCATE changeset CASCADE;`,
    guards: [
      'changeset_never_truncated',
      'approval_never_truncated',
      'commit_never_truncated',
      'change_never_truncated',
      'definition_never_truncated',
      'head_never_truncated',
      'record_never_truncated',
      'version_never_truncated',
    ],
  },
  {
    promise: '24 a changeset is never removed',
    sql: `DELETE FROM changeset WHERE id = $empty;`,
    guards: ['changeset_never_deleted'],
  },
  {
    promise: '23 a version that is committed at once names a changeset that there is',
    sql:
      append({ count: 2 }) +
      version(', revision, number, changeset_id', `, (SELECT max(revision) FROM commit), 3, '$uuid'`) +
      rest,
    guards: ['version_inserted_follows', 'head_log_is_whole'],
  },
  {
    promise: '25 an approval is not changed',
    sql: `UPDATE approval SET edit = edit + 1;`,
    guards: ['approval_append_only'],
  },
  {
    promise: '25 an approval is not taken back',
    sql: `DELETE FROM approval;`,
    guards: ['approval_append_only'],
  },
  {
    promise: '25 approvals are never truncated',
    sql: `TRUNCATE approval;`,
    guards: ['approval_never_truncated'],
  },
  {
    promise: '25 nobody approves the same twice',
    sql: `INSERT INTO approval (changeset_id, edit, approver, digest) SELECT changeset_id, edit, approver, digest FROM approval;`,
    guards: ['approval_pkey'],
  },
  {
    promise: '26 a changeset is committed once',
    sql: append({ changeset: '$committed' }) + rest,
    guards: ['commit_changeset_id_key'],
  },
  {
    promise: '26 a commit makes current what waits in no changeset but its own',
    sql: append({ changeset: '$empty' }) + restOfMember + close('$empty', 'committed'),
    guards: ['change_agrees'],
  },
  {
    promise: '26 a member of a changeset is not committed without it',
    sql: append() + restOfMember,
    guards: ['change_agrees'],
  },
  {
    promise: '26 a changeset does not stay open when it is committed',
    sql: append({ changeset: '$open' }) + restOfMember,
    guards: ['head_log_is_whole'],
  },
  {
    promise: '26 the content of a commit names its changeset',
    sql:
      append({
        changeset: '$empty',
        toldChangeset: 'NULL::uuid',
      }) +
      rest +
      close('$empty', 'committed'),
    guards: ['commit_follows'],
  },
  {
    promise: '27 the content of a revert names the commit that it undoes',
    sql:
      append({
        kind: 'revert',
        reverts: '3',
        toldReverts: '2',
      }) + rest,
    guards: ['commit_follows'],
  },
  {
    promise: '27 a revert says what it undoes',
    sql: append({ kind: 'revert' }) + rest,
    guards: ['commit_reverts_with_kind'],
  },
  {
    promise: '27 nothing but a revert undoes a commit',
    sql: append({ reverts: '3' }) + rest,
    guards: ['commit_reverts_with_kind'],
  },
  {
    promise: '27 a revert undoes a commit that there is',
    sql: append({ kind: 'revert', reverts: '(SELECT max(revision) + 2 FROM commit)' }) + rest,
    guards: ['commit_reverts_earlier', 'commit_follows'],
  },
  {
    promise: '28 the base of a pending version is no pending version',
    sql: version(', changeset_id, base_version_id', `, $open, $xp`),
    guards: ['version_base_holds'],
  },
  {
    promise: '28 the base of a pending version is no version of another record',
    sql: version(', changeset_id, base_version_id', `, $open, $y1`),
    guards: ['version_base_holds'],
  },
  {
    promise: '28 nor does it get such a base when it is committed',
    sql:
      append({ changeset: '$open' }) +
      restOfMember.replace('number = 2', 'number = 2, base_version_id = $y1') +
      close('$open', 'committed'),
    guards: ['version_committed_follows'],
  },
  {
    promise: '28 a version that is committed at once has no such base either',
    sql:
      append() +
      version(', revision, number, base_version_id', `, (SELECT max(revision) FROM commit), 3, $y1`) +
      rest,
    guards: ['version_inserted_follows'],
  },
  {
    promise: '29 a pending version is not started from what has been deleted',
    sql: version(', changeset_id, base_version_id', `, $open, $w1`).replace('$x', '$w'),
    guards: ['version_base_holds'],
  },
  {
    promise: '29 a pending version is not laid on what has been deleted',
    sql:
      version(', changeset_id, base_version_id', `, $open, $w4`).replace('$x', '$w') +
      `UPDATE version SET base_version_id = $w1 WHERE record_id = $w AND changeset_id = $open;`,
    guards: ['version_base_holds'],
  },
  {
    promise: '18 a record keeps its key',
    sql: `UPDATE record SET key = 'other' WHERE id = $x;`,
    guards: ['record_moves_forward'],
  },
  ...["'archive'", 'NULL'].flatMap((archive): Attack[] => {
    const what = archive === 'NULL' ? 'deleted' : 'archived';
    return [
      {
        promise: `19 the current version is not ${what}`,
        sql: expire('$w4', archive),
        guards: ['record_current_version_fkey'],
      },
      {
        promise: `19 the base of a pending version is not ${what}`,
        sql: expire('$v1', archive),
        guards: ['version_immutable'],
      },
      {
        promise: `19 what can be read above the horizon is not ${what}`,
        sql: expire('$w3', archive),
        guards: ['version_immutable'],
      },
      {
        promise: `19 a pending version is not ${what}`,
        sql: expire('$xp', archive),
        guards: ['version_content_with_operation'],
      },
      {
        promise: 'The position of a webhook moves forward only, unless it is set by hand',
        sql: `UPDATE webhook SET revision = revision - 1;`,
        guards: ['webhook_position_moves_forward'],
      },
      {
        promise: 'A webhook has one secret of now',
        sql: `INSERT INTO webhook_secret (webhook_id, secret) SELECT id, decode(repeat('00', 32), 'hex') FROM webhook;`,
        guards: ['webhook_secret_one_current'],
      },
    ];
  }),
  {
    promise: '19 content goes only as expired',
    sql: `UPDATE version SET content = NULL WHERE id = $w3;`,
    guards: ['version_content_with_operation', 'version_immutable'],
  },
  {
    promise: '20 the pointer leads to no version whose content is not at hand',
    sql: append() + entry('$w', '$w4', '$w2') + pointer('$w', '$w2'),
    guards: ['record_current_version_fkey'],
  },
  {
    promise: '20 what is archived comes back only as it was',
    sql: `UPDATE version SET content = '{"sku":"0"}', archive = NULL, expired_at = NULL WHERE id = $w2;`,
    guards: ['version_digest_of_content'],
  },
  {
    promise: '20 an archive is not replaced by another',
    sql: `UPDATE version SET archive = 'other' WHERE id = $w2;`,
    guards: ['version_immutable'],
  },
  {
    promise: '20 a version has content or archive, not both',
    sql: `UPDATE version SET archive = 'archive' WHERE id = $w3;`,
    guards: ['version_content_with_operation', 'version_immutable'],
  },
  {
    promise: '20 an archived version keeps who, when and digest',
    sql: `UPDATE version SET staged_by = '{eve}' WHERE id = $w2;`,
    guards: ['version_immutable'],
  },
  {
    promise: '21 what is deleted stays deleted',
    sql: `UPDATE version SET content = '{"sku":"w1"}', expired_at = NULL WHERE id = $w1;`,
    guards: ['version_immutable'],
  },
  {
    promise: '21 what is deleted gets no archive',
    sql: `UPDATE version SET archive = 'archive' WHERE id = $w1;`,
    guards: ['version_immutable'],
  },
  {
    promise: '22 the horizon never goes back',
    sql: `UPDATE collection SET horizon = horizon - 1 WHERE id = $productsC;`,
    guards: ['collection_horizon_moves_forward'],
  },
  {
    promise: '22 the horizon is a revision',
    sql: `UPDATE collection SET horizon = -1 WHERE id = $productsC;`,
    guards: ['collection_horizon_not_negative', 'collection_horizon_moves_forward'],
  },
  ...[
    `INSERT INTO mirror.brands VALUES ('eve', 1, 1, now(), 'eve', '{}');`,
    `UPDATE mirror.brands SET data = '{"eve":1}';`,
    'DELETE FROM mirror.brands;',
    'TRUNCATE mirror.brands;',
    `MERGE INTO mirror.brands USING (VALUES ('b')) AS s (key) ON s.key = brands.key WHEN MATCHED THEN DELETE;`,
  ].map((sql) => ({
    promise: `31 a mirror is written by commits alone: ${sql.slice(0, 6)}`,
    sql,
    guards: ['mirror_written_by_commits'],
  })),
  {
    promise: '32 a mirror is not left behind while its definition asks for it',
    sql: `UPDATE collection SET mirrored = false WHERE name = 'brands';`,
    guards: ['collection_mirrored_follows'],
  },
  {
    promise: '32 a collection does not begin with a mirror that no definition asks for',
    sql: `INSERT INTO collection (name, mirrored) VALUES ('eve', true);`,
    guards: ['collection_begins_unmirrored'],
  },
];

/** Runs SQL in a transaction that leaves nothing behind; answers the name of the guard that refused it. */
async function refusedBy(sql: string): Promise<string | null> {
  const uuid = randomUUID();
  const statement = sql.replaceAll('$uuid', uuid).replace(/\$\w+/g, (name) => names[name] ?? name);
  await client.query('BEGIN');
  try {
    await client.query(statement);
    await client.query('SET CONSTRAINTS ALL IMMEDIATE');
    return null;
  } catch (error) {
    if (error instanceof pg.DatabaseError) return error.constraint ?? error.message;
    throw error;
  } finally {
    await client.query('ROLLBACK');
  }
}

/** Statements that take guards away, whatever they are: constraints, triggers, unique indexes. */
async function takeAway(guards: string[]): Promise<string> {
  const { rows } = await client.query<{ name: string; drop: string }>(
    `SELECT conname AS name, format('ALTER TABLE %s DROP CONSTRAINT IF EXISTS %I CASCADE', conrelid::regclass, conname) AS drop
     FROM pg_constraint WHERE conname = ANY ($1) AND contype <> 't'
     UNION ALL SELECT tgname, format('DROP TRIGGER %I ON %s', tgname, tgrelid::regclass) FROM pg_trigger WHERE tgname = ANY ($1)
     UNION ALL SELECT relname, format('DROP INDEX %I', relname) FROM pg_class WHERE relname = ANY ($1) AND relkind = 'i'
       AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = pg_class.oid)`,
    [guards],
  );
  expect(new Set(rows.map((row) => row.name))).toEqual(new Set(guards));
  return rows.map((row) => `${row.drop};`).join('');
}

describe('what the database refuses, with psql in hand', () => {
  test.each(attacks)('$promise', async ({ sql, guards }) => {
    expect(await refusedBy(sql)).toBe(guards[0]);
    // The control: the attack is a real one, since without its guards it goes through.
    expect(await refusedBy((await takeAway(guards)) + sql)).toBeNull();
  });

  test('the good way passes all of them', async () => {
    expect(await refusedBy(append() + rest)).toBeNull();
    const whole = append({ changeset: '$open' }) + restOfMember + close('$open', 'committed');
    expect(await refusedBy(whole)).toBeNull();
    expect(await refusedBy(append({ kind: 'revert', reverts: '3' }) + rest)).toBeNull();
    expect(await refusedBy(version(', changeset_id, base_version_id', `, $open, $x2`))).toBeNull();
    const onArchived = version(', changeset_id, base_version_id', `, $open, $w2`).replace('$x', '$w');
    expect(await refusedBy(onArchived)).toBeNull();
  });

  test('retention passes in its way: horizon first, archive, delete, and the archive back', async () => {
    const back = `UPDATE version SET content = '{"sku":"w2"}', archive = NULL, expired_at = NULL WHERE id = $w2;`;
    const horizon = `UPDATE collection SET horizon = (SELECT revision FROM head) WHERE id = $productsC;`;
    const rest = expire('$w3', "'archive'") + expire('$w3', 'NULL');
    expect(await refusedBy(back + horizon + rest)).toBeNull();
  });
});
