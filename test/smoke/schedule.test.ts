import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { openDatabase } from '../../src/store/db.js';
import { auditStore } from '../support/audit.js';
import { createTestDatabase } from '../support/database.js';
import { type Program, root, startProgram } from '../support/program.js';

beforeAll(async () => {
  await promisify(execFile)(process.execPath, ['scripts/build.mjs'], { cwd: root });
});

/** How far ahead a moment lies that is to come while no instance runs. */
const aheadMs = 1_500;

const json = { 'content-type': 'application/json', 'if-match': '*' };

async function send<Body>(url: string, method: string, body: object): Promise<Body> {
  const response = await fetch(url, { method, headers: json, body: JSON.stringify(body) });
  expect([response.status, response.ok]).toEqual([response.status, true]);
  return (await response.json()) as Body;
}

interface Shown {
  id: string;
  state: string;
  revision: number | null;
}

/** Asks until the changeset is committed. */
async function untilCommitted(baseUrl: string, id: string): Promise<Shown> {
  for (;;) {
    const shown = (await (await fetch(`${baseUrl}/v1/changesets/${id}`)).json()) as Shown;
    if (shown.state === 'committed') return shown;
    expect(shown.state).toBe('scheduled');
  }
}

/** A database, two instances of the program at once on it, as often as they are started, and a look past them. */
async function twoOnOneDatabase() {
  const database = await createTestDatabase();
  const db = openDatabase({ url: database.url, poolSize: 1 });
  onTestFinished(async () => {
    await db.close();
    await database.drop();
  });
  const startBoth = async () => {
    const programs = [1, 2].map(() =>
      startProgram({ DATABASE_URL: database.url, POOL_SIZE: '4', LOG_LEVEL: 'info' }),
    );
    const urls = await Promise.all(programs.map((program) => program.ready()));
    return { programs, urls: urls as [string, string] };
  };
  /** Opens a changeset with one member for each key, and schedules it. */
  const schedule = async (baseUrl: string, keys: string[], inMs: number): Promise<string> => {
    const { id } = await send<Shown>(`${baseUrl}/v1/changesets`, 'POST', { title: keys.join(' ') });
    for (const key of keys) {
      const url = `${baseUrl}/v1/collections/prices/records/${key}/pending?changeset=${id}`;
      const staged = await fetch(url, {
        method: 'PUT',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ data: { key } }),
      });
      expect(staged.status).toBe(201);
    }
    const commitAt = new Date(Date.now() + inMs).toISOString();
    await send(`${baseUrl}/v1/changesets/${id}/schedule`, 'POST', { commitAt });
    return id;
  };
  const commitsOf = (id: string) =>
    db.query<{ revision: number }>(`SELECT revision FROM commit WHERE changeset_id = $1`, [id]);
  const untilDue = async (id: string) => {
    for (;;) {
      const due = `SELECT FROM changeset WHERE id = $1 AND commit_at <= clock_timestamp()`;
      if ((await db.query(due, [id])).length > 0) return;
    }
  };
  return { db, startBoth, schedule, commitsOf, untilDue };
}

const carriedOut = (programs: Program[]) =>
  programs.flatMap(({ lines }) => lines).filter(({ msg }) => msg === 'a schedule was carried out');

describe('a schedule, with two instances on one database', () => {
  test('whose moment comes while both are dead fires once when both are back', {
    timeout: 180_000,
  }, async () => {
    const { db, startBoth, schedule, commitsOf, untilDue } = await twoOnOneDatabase();
    const before = await startBoth();
    const [one] = before.urls;
    await fetch(`${one}/v1/collections/prices`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: '{}',
    });
    const far = await schedule(one, ['c'], 3_600_000);
    const id = await schedule(one, ['a', 'b'], aheadMs);
    for (const { child } of before.programs) child.kill('SIGKILL');
    await Promise.all(before.programs.map((program) => program.exit()));
    expect(await commitsOf(id)).toEqual([]);

    await untilDue(id);
    const after = await startBoth();
    const { revision } = await untilCommitted(after.urls[0], id);
    expect(await untilCommitted(after.urls[1], id)).toMatchObject({ revision });
    // Whatever a second one would do, it would do it in the turn that comes after: let both have several.
    const live = await schedule(after.urls[1], ['d'], aheadMs);
    await untilCommitted(after.urls[0], live);
    expect(await commitsOf(id)).toEqual([{ revision }]);
    expect(await commitsOf(live)).toHaveLength(1);
    expect(await commitsOf(far)).toEqual([]);
    for (const { child } of after.programs) child.kill('SIGTERM');
    await Promise.all(after.programs.map((program) => program.exit()));
    expect(carriedOut(after.programs)).toHaveLength(2);
    expect(after.programs.flatMap(({ lines }) => lines).filter(({ level }) => level >= 40)).toEqual([]);
    expect(await auditStore(db)).toEqual([]);
  });
});
