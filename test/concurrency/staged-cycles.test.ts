import { describe, expect, test } from 'vitest';
import { commitPending } from '../../src/commands/commit-pending.js';
import type { Context } from '../../src/commands/context.js';
import { discardPending } from '../../src/commands/discard-pending.js';
import { putCollection } from '../../src/commands/put-collection.js';
import { stagePending } from '../../src/commands/stage-pending.js';
import { validatePending } from '../../src/commands/validate-pending.js';
import type { Precondition } from '../../src/domain/precondition.js';
import { auditStore } from '../support/audit.js';
import { atOnce, codeOf } from '../support/barrier.js';
import { ann, createInstances } from '../support/context.js';
import { size } from '../support/size.js';

const at = { collection: 'pages', key: 'home', changeset: null };
const clients = 16;
const cycles = size(600, 10_000);

interface Acknowledged {
  token: string;
  revision: number;
}

const refusals = new Set([
  'precondition-required',
  'precondition-failed',
  'pending-not-found',
  'receipt-stale',
  'base-outdated',
]);

/** Stages its own text, validates, commits, in three calls; null when refused on the way. */
async function cycle(context: Context, token: string, careful: boolean): Promise<Acknowledged | null> {
  const anything: Precondition = careful ? {} : { ifMatch: { any: true } };
  try {
    const stage = (precondition: Precondition) =>
      stagePending(context, {
        ...at,
        staged: { operation: 'upsert', data: { token } },
        precondition,
        actor: ann,
      });
    if (careful) await stage({});
    else await stage({}).catch(() => stage(anything));
    const { report } = await validatePending(context, at);
    const seen = careful ? { precondition: {}, receipt: report.receipt ?? '' } : { precondition: anything };
    const { result } = await commitPending(context, { ...at, ...seen, actor: ann });
    return result.unchanged ? null : { token, revision: result.revision };
  } catch (error) {
    expect(refusals).toContain(codeOf(error));
    return null;
  }
}

/** What each acknowledged cycle published that was not its own text, or is not in the history. */
async function findBroken(context: Context, acknowledged: Acknowledged[]): Promise<string[]> {
  const rows = await context.db.query<{ revision: number; token: string }>(
    `SELECT h.revision, v.content::jsonb ->> 'token' AS token FROM change h JOIN version v ON v.id = h.after_version_id`,
  );
  const history = new Map(rows.map((row) => [row.revision, row.token]));
  return acknowledged.flatMap(({ token, revision }) =>
    history.get(revision) === token
      ? []
      : [`${token} was acknowledged as ${revision}, which is ${history.get(revision)}`],
  );
}

async function runCycles(
  careful: boolean,
  count: number,
): Promise<{ context: Context; acknowledged: Acknowledged[]; refused: number }> {
  const instances = await createInstances(2, { poolSize: 8 });
  const [context] = instances;
  if (!context) throw new Error('no instance');
  await putCollection(context, { collection: at.collection, definition: {}, precondition: {}, actor: ann });
  const acknowledged: Acknowledged[] = [];
  let started = 0;
  const outcomes = await atOnce(clients, async (client) => {
    for (let turn = 0; started < count; turn += 1) {
      started += 1;
      const done = await cycle(instances[client % 2] ?? context, `${client}:${turn}`, careful);
      if (done) acknowledged.push(done);
    }
  });
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
  return { context, acknowledged, refused: started - acknowledged.length };
}

describe('16 clients that stage, validate and commit one record in three calls', () => {
  test('publish exactly what each had validated, and every acknowledged commit is in the history', async () => {
    const { context, acknowledged, refused } = await runCycles(true, cycles);
    console.log(`${cycles} cycles: ${acknowledged.length} acknowledged, ${refused} refused`);
    expect(await findBroken(context, acknowledged)).toEqual([]);
    expect(acknowledged.length).toBeGreaterThan(cycles / 100);
    expect(refused).toBeGreaterThan(0);
    await discardPending(context, { ...at, precondition: { ifMatch: { any: true } } }).catch(codeOf);
    expect(await auditStore(context.db)).toEqual([]);
  });

  test('negative control: with If-Match: * they publish what others staged', async () => {
    const { context, acknowledged } = await runCycles(false, 300);
    expect(await findBroken(context, acknowledged)).not.toEqual([]);
  });
});
