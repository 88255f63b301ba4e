import type pg from 'pg';
import type { Db, Executor } from '../../src/store/db.js';

/** One step of a plan, as EXPLAIN tells it. */
interface PlanNode {
  'Node Type': string;
  'Index Name'?: string;
  'Actual Rows': number;
  'Actual Loops': number;
  'Rows Removed by Filter'?: number;
  'Rows Removed by Index Recheck'?: number;
  'Rows Removed by Join Filter'?: number;
  Plans?: PlanNode[];
}

/** What a statement read when it was run by the plan that a connection keeps. */
export interface Reading {
  /** The most rows that any step of the plan looked at. */
  rows: number;
  /** Indexes whose order is that of what a limit cuts: nothing is sorted in between. */
  ordered: string[];
  /** For whoever wonders. */
  plan: string;
}

/**
 * Runs `work`, and each statement that it sends again by a generic plan: one that is made without knowing the values,
 * as a connection makes and keeps it. What is written is undone.
 */
export async function readingsOf(db: Db, work: (executor: Executor) => Promise<unknown>): Promise<Reading[]> {
  const client = await db.pool.connect();
  try {
    await client.query('BEGIN');
    await client.query('SET LOCAL plan_cache_mode = force_generic_plan');
    const readings: Reading[] = [];
    const explainAndRun = async (text: string, values: unknown[]) => {
      readings.push(await explain(client, text, values));
      return (await client.query(text, values)).rows;
    };
    // Statements that are sent together are explained one after the other.
    let last: Promise<unknown> = Promise.resolve();
    const run = (text: string, values: unknown[] = []) => {
      const answer = last.then(() => explainAndRun(text, values));
      last = answer;
      return answer;
    };
    await work({ query: run, queryOnce: run } as Executor);
    // Among them those whose answer nobody waited for.
    await last;
    return readings;
  } finally {
    await client.query('ROLLBACK');
    client.release();
  }
}

async function explain(client: pg.ClientBase, text: string, values: unknown[]): Promise<Reading> {
  await client.query('SAVEPOINT explained');
  await client.query(`PREPARE explained AS ${text}`);
  const given = values.length === 0 ? '' : `(${values.map(literalOf).join(', ')})`;
  const { rows } = await client.query(`EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE explained${given}`);
  await client.query('DEALLOCATE explained');
  await client.query('ROLLBACK TO explained');
  const root: PlanNode = rows[0]['QUERY PLAN'][0].Plan;
  const reading: Reading = { rows: 0, ordered: [], plan: JSON.stringify(root, null, 1) };
  walk(root, reading, false);
  return reading;
}

/** Steps that keep the order of what comes first in them. */
const keepsOrder = ['Nested Loop', 'Result', 'Subquery Scan', 'LockRows', 'Append', 'Merge Append', 'Limit'];

function walk(node: PlanNode, reading: Reading, isCut: boolean): void {
  const type = node['Node Type'];
  const removed = [
    node['Rows Removed by Filter'],
    node['Rows Removed by Index Recheck'],
    node['Rows Removed by Join Filter'],
  ];
  const each = removed.reduce((sum: number, rows = 0) => sum + rows, node['Actual Rows']);
  reading.rows = Math.max(reading.rows, Math.round(each * node['Actual Loops']));
  const index = node['Index Name'];
  if (index !== undefined && isCut && !reading.ordered.includes(index)) reading.ordered.push(index);
  for (const [place, child] of (node.Plans ?? []).entries()) {
    const isFirst = place === 0 || type.endsWith('Append');
    walk(child, reading, type === 'Limit' || (isCut && isFirst && keepsOrder.includes(type)));
  }
}

/** A value as SQL, of a type that the statement decides about. */
function literalOf(value: unknown): string {
  if (value === null) return 'NULL';
  return `'${textOf(value).replaceAll("'", "''")}'`;
}

function textOf(value: unknown): string {
  if (Buffer.isBuffer(value)) return `\\x${value.toString('hex')}`;
  if (!Array.isArray(value)) return String(value);
  const items = value.map((item) =>
    item === null ? 'NULL' : `"${textOf(item).replace(/["\\]/g, (character) => `\\${character}`)}"`,
  );
  return `{${items.join(',')}}`;
}
