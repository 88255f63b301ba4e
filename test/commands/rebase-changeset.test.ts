import { beforeEach, expect, test } from 'vitest';
import { commitChanges } from '../../src/commands/commit-changes.js';
import { commitChangeset } from '../../src/commands/commit-changeset.js';
import type { Context } from '../../src/commands/context.js';
import { createChangeset } from '../../src/commands/create-changeset.js';
import { putCollection } from '../../src/commands/put-collection.js';
import { rebaseChangeset } from '../../src/commands/rebase-changeset.js';
import type { DiptychError } from '../../src/domain/errors.js';
import type { Resolutions } from '../../src/domain/rebase.js';
import type { ListedConflict } from '../../src/domain/rebase-refusals.js';
import { auditStore } from '../support/audit.js';
import { ann, createInstance } from '../support/context.js';
import { size } from '../support/size.js';

const collection = 'items';
/** More than two batches. */
const count = size(1_200, 10_000);
const keys = Array.from({ length: count }, (_, index) => `k${String(index).padStart(5, '0')}`);

let context: Context;
let id: string;

/** All records at version 2, `{n: 1, theirs: 1}`, and members staged on version 1 that add `ours`. */
beforeEach(async () => {
  context = await createInstance();
  await putCollection(context, { collection, definition: {}, precondition: {}, actor: ann });
  const commit = (data: object) =>
    commitChanges(context, {
      changes: keys.map((key) => ({ collection, key, operation: 'put', data: { ...data } })),
      dryRun: false,
      actor: ann,
    });
  await commit({ n: 0 });
  const created = await createChangeset(context, { title: 'many', actor: ann });
  id = created.changeset.id;
  await context.db.query(
    `INSERT INTO version (record_id, changeset_id, base_version_id, operation, content, digest, staged_by, staged_at, updated_at)
     SELECT id, $1, current_version_id, 'upsert', content, sha256(convert_to(content, 'UTF8')), '{ann}', now(), now()
     FROM record, LATERAL (SELECT format('{"n":%s,"ours":1}', (id % 2) * 2)) AS made (content)`,
    [id],
  );
  await commit({ n: 1, theirs: 1 });
});

const rebase = (resolutions: { collection: string; key: string; resolutions: Resolutions }[] = []) =>
  rebaseChangeset(context, { id, resolutions, precondition: {}, actor: { name: 'bob', admin: false } });

test('many members with many conflicts are settled in rounds, and committed', async () => {
  const given = new Map<string, Resolutions>();
  let rounds = 0;
  for (let open = true; open; rounds += 1) {
    const resolutions = [...given].map(([key, settled]) => ({ collection, key, resolutions: settled }));
    try {
      const { result } = await rebase(resolutions);
      expect(result).toMatchObject({ rebased: count, resolved: count / 2 });
      open = false;
    } catch (error) {
      const { code, options } = error as DiptychError;
      expect(code).toBe('rebase-conflict');
      const conflicts = options.extensions?.conflicts as ListedConflict[];
      expect(options.extensions?.conflictCount).toBe(count / 2 - given.size);
      expect(conflicts.length).toBe(Math.min(1_000, count / 2 - given.size));
      for (const { key = '' } of conflicts) given.set(key, new Map([['/n', 'current']]));
    }
  }
  expect(rounds).toBe(Math.ceil(count / 2 / 1_000) + 1);
  await commitChangeset(context, { id, precondition: { ifMatch: { any: true } }, actor: ann });
  const found = await context.db.query(
    `SELECT v.content, count(*) FROM record r JOIN version v ON v.id = r.current_version_id GROUP BY 1 ORDER BY 1`,
  );
  expect(found).toEqual([{ content: '{"n":1,"ours":1,"theirs":1}', count }]);
  expect(await auditStore(context.db)).toEqual([]);
});
