import { createHash } from 'node:crypto';
import { unzipSync } from 'node:zlib';
import { compileDefinition } from '../../src/domain/definition/compile.js';
import { canonicalJson } from '../../src/lib/canonical-json.js';
import type { Executor } from '../../src/store/db.js';
import { auditMirrors } from './mirror.js';

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

/**
 * Checks a whole store from outside: what it says of itself against what can be computed again. Answers what
 * is wrong; an empty list is a sound store.
 */
export async function auditStore(db: Executor): Promise<string[]> {
  return [
    ...(await auditLog(db)),
    ...(await auditVersions(db)),
    ...(await auditHistory(db)),
    ...(await auditConstraints(db)),
    ...(await auditIndexes(db)),
    ...(await auditMirrors(db)),
  ];
}

/** Indexes that are ready have each live record with its value, and no other that a list could reach. */
async function auditIndexes(db: Executor): Promise<string[]> {
  const rows = await db.query<{ pointer: string; key: string }>(
    `WITH meant AS (
       SELECT i.id AS index_id, r.id AS record_id, r.key, sort_value(v.content::jsonb #> i.path) AS value
       FROM list_index i JOIN record r ON r.collection_id = i.collection_id JOIN version v ON v.id = r.current_version_id
       WHERE i.state = 'ready'
     ), found AS (
       SELECT e.index_id, e.record_id, e.key, e.value FROM index_entry e JOIN list_index i ON i.id = e.index_id
       WHERE i.state = 'ready' AND e.value <> '\xff'
     )
     SELECT i.pointer, differing.key
     FROM ((TABLE meant EXCEPT TABLE found) UNION (TABLE found EXCEPT TABLE meant)) AS differing
     JOIN list_index i ON i.id = differing.index_id`,
  );
  return rows.map(({ pointer, key }) => `the index ${pointer} does not say what ${key} is`);
}

async function auditLog(db: Executor): Promise<string[]> {
  const wrong: string[] = [];
  const commits = await db.query<{
    revision: number;
    content: string;
    hash: string;
    previousHash: string;
    count: number;
  }>(
    `SELECT revision, content, encode(hash, 'hex') AS hash, encode(previous_hash, 'hex') AS "previousHash", change_count AS count
     FROM commit ORDER BY revision`,
  );
  const changes = await db.query<{ revision: number } & Record<string, string | number | null>>(
    `SELECT h.revision, h.ordinal, c.name AS collection, r.key, b.number AS before, a.number AS after,
            CASE WHEN h.before_version_id IS NULL THEN 'create' WHEN h.after_version_id IS NULL THEN 'delete' ELSE 'update' END AS operation,
            encode(b.digest, 'hex') AS "beforeDigest", encode(a.digest, 'hex') AS "afterDigest"
     FROM change h JOIN record r ON r.id = h.record_id JOIN collection c ON c.id = r.collection_id
     LEFT JOIN version b ON b.id = h.before_version_id LEFT JOIN version a ON a.id = h.after_version_id
     ORDER BY h.revision, h.ordinal`,
  );
  const byRevision = groupBy(changes);
  let previousHash = '0'.repeat(64);
  for (const [index, commit] of commits.entries()) {
    const lines = (byRevision.get(commit.revision) ?? []).map(({ revision, ...change }) =>
      canonicalJson(change),
    );
    const content = JSON.parse(commit.content);
    if (commit.revision !== index + 1) wrong.push(`revision ${commit.revision} stands at place ${index + 1}`);
    if (sha256(commit.content) !== commit.hash)
      wrong.push(`the hash of ${commit.revision} is not that of its content`);
    if (commit.previousHash !== previousHash || content.previousHash !== previousHash)
      wrong.push(`the chain breaks at ${commit.revision}`);
    if (lines.length !== commit.count)
      wrong.push(`commit ${commit.revision} has ${lines.length} changes and says ${commit.count}`);
    if (content.changesDigest !== sha256(lines.join('\n')))
      wrong.push(`the changes of ${commit.revision} are not those that were sealed`);
    previousHash = commit.hash;
  }
  const [head] = await db.query<{ revision: number; hash: string }>(
    `SELECT revision, encode(hash, 'hex') AS hash FROM head`,
  );
  if (head?.revision !== commits.length || head.hash !== previousHash)
    wrong.push('the head is not the newest commit');
  return wrong;
}

function groupBy<Item extends { revision: number }>(items: Item[]): Map<number, Item[]> {
  const groups = new Map<number, Item[]>();
  for (const item of items) {
    const group = groups.get(item.revision);
    if (group) group.push(item);
    else groups.set(item.revision, [item]);
  }
  return groups;
}

async function auditVersions(db: Executor): Promise<string[]> {
  const versions = await db.query<{
    id: number;
    recordId: number;
    number: number;
    content: string | null;
    archive: Buffer | null;
    digest: string;
    needed: boolean;
  }>(
    `SELECT v.id, v.record_id AS "recordId", v.number, v.content, v.archive, encode(v.digest, 'hex') AS digest,
            v.id = r.current_version_id IS TRUE
              OR EXISTS (SELECT FROM version p WHERE p.record_id = r.id AND p.revision IS NULL AND p.base_version_id = v.id)
              OR EXISTS (SELECT FROM change h WHERE h.before_version_id = v.id AND h.revision > c.horizon) AS needed
     FROM version v JOIN record r ON r.id = v.record_id JOIN collection c ON c.id = r.collection_id
     WHERE v.revision IS NOT NULL ORDER BY v.record_id, v.revision`,
  );
  const counts = new Map<number, number>();
  return versions.flatMap(({ id, recordId, number, digest, needed, ...stored }) => {
    const expected = (counts.get(recordId) ?? 0) + 1;
    counts.set(recordId, expected);
    const wrong: string[] = [];
    if (number !== expected) wrong.push(`version ${id} has number ${number}, not ${expected}`);
    if (stored.content === null && needed) wrong.push(`version ${id} is needed, and its content is gone`);
    // An archive is read here by other means than the service's own.
    const content = stored.content ?? (stored.archive && unzipSync(stored.archive).toString());
    if (content === null) return wrong;
    if (sha256(content) !== digest) wrong.push(`the digest of version ${id} is not that of its content`);
    if (canonicalJson(JSON.parse(content)) !== content)
      wrong.push(`the content of version ${id} is not canonical`);
    return wrong;
  });
}

async function auditHistory(db: Executor): Promise<string[]> {
  const rows = await db.query<{ what: string }>(
    `SELECT format('change %s.%s does not start where the one before it ended', revision, ordinal) AS what
     FROM (SELECT revision, ordinal, before_version_id AS before,
                  lag(after_version_id) OVER (PARTITION BY record_id ORDER BY revision) AS previous FROM change) AS step
     WHERE before IS DISTINCT FROM previous
     UNION ALL
     SELECT format('record %s does not stand where its history ends', r.id)
     FROM record r
     LEFT JOIN LATERAL (SELECT revision, after_version_id FROM change WHERE record_id = r.id ORDER BY revision DESC LIMIT 1) AS last ON true
     WHERE r.revision IS DISTINCT FROM last.revision OR r.current_version_id IS DISTINCT FROM last.after_version_id`,
  );
  return rows.map((row) => row.what);
}

async function auditConstraints(db: Executor): Promise<string[]> {
  const records = await db.query<{ id: number; collection: string; content: string; definition: string }>(
    `SELECT r.id, c.name AS collection, v.content, d.content AS definition
     FROM record r JOIN version v ON v.id = r.current_version_id
     JOIN collection c ON c.id = r.collection_id JOIN definition d ON d.id = c.definition_id`,
  );
  const expected = new Set<string>();
  const compiled = new Map<string, ReturnType<typeof compileDefinition>>();
  for (const { id, content, definition } of records) {
    const rules = compiled.get(definition) ?? compileDefinition(JSON.parse(definition));
    compiled.set(definition, rules);
    const data = JSON.parse(content);
    for (const { constraint, value } of rules.uniqueValues(data))
      expected.add(`unique ${id} ${constraint} ${sha256(value)}`);
    for (const { constraint, collection, key } of rules.references(data))
      expected.add(`reference ${id} ${constraint} ${collection} ${key}`);
  }
  const stored = await db.query<{ what: string }>(
    `SELECT format('unique %s %s %s', record_id, pointers, encode(digest, 'hex')) AS what FROM unique_value
     UNION ALL
     SELECT format('reference %s %s %s %s', f.source_record_id, f.pointer, c.name, r.key)
     FROM reference f JOIN record r ON r.id = f.target_record_id JOIN collection c ON c.id = r.collection_id`,
  );
  const found = new Set(stored.map((row) => row.what));
  return [
    ...[...expected].filter((what) => !found.has(what)).map((what) => `missing: ${what}`),
    ...[...found].filter((what) => !expected.has(what)).map((what) => `surplus: ${what}`),
  ];
}
