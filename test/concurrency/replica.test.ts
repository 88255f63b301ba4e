import { createHash } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { commitChanges } from '../../src/commands/commit-changes.js';
import { putCollection } from '../../src/commands/put-collection.js';
import { DiptychError } from '../../src/domain/errors.js';
import { canonicalJson } from '../../src/lib/canonical-json.js';
import type { JsonValue } from '../../src/lib/json-value.js';
import { type RunningApi, startApi } from '../support/api.js';
import { ann } from '../support/context.js';
import { size } from '../support/size.js';

/** What a deletion is refused with of what was never there, or is there no more. */
const refusals = ['record-not-found', 'record-deleted'];

const collection = 'parts';
const writers = 8;
const commitsEach = size(40, 400);

/** One step of a copy: what a record holds from now on, or undefined when it is gone. */
interface Step {
  key: string;
  data: JsonValue | undefined;
}

/** Writers that create, change, delete and bring back, one to four records at once. */
function startWriters({ context }: RunningApi) {
  let isHalfway = () => {};
  const halfway = new Promise<void>((resolve) => {
    isHalfway = resolve;
  });
  let commits = 0;
  const write = async (writer: number) => {
    for (let turn = 0; turn < commitsEach; turn += 1) {
      const changes = Array.from({ length: 1 + ((writer + turn) % 4) }, (_, member) => {
        const key = `part/${(turn * 3 + member) % 9}/${writer}`;
        return (turn + member) % 5 === 4
          ? { collection, key, operation: 'delete' as const }
          : {
              collection,
              key,
              operation: 'put' as const,
              data: { writer, turn, text: `é${turn}`, 10: 1, 9: 2 },
            };
      });
      // A deletion of what is not there is refused, and then nothing of it happens.
      await commitChanges(context, { changes, dryRun: false, actor: ann }).catch((error: unknown) => {
        if (!(error instanceof DiptychError) || !refusals.includes(error.code)) throw error;
      });
      commits += 1;
      if (commits === (writers * commitsEach) / 2) isHalfway();
    }
  };
  const all = Promise.all(Array.from({ length: writers }, (_, writer) => write(writer)));
  return { halfway, all };
}

const digestOf = (lines: string[]) => createHash('sha256').update(lines.join('')).digest('hex');

const lineOf = (key: string, data: JsonValue) =>
  `{"collection":"${collection}","key":${JSON.stringify(key)},"operation":"put","data":${canonicalJson(data)}}\n`;

/** What an export of the copy would be. */
function digestOfCopy(snapshot: string, steps: Step[]): string {
  const lines = new Map(
    snapshot
      .split('\n')
      .slice(0, -1)
      .map((line) => [JSON.parse(line).key as string, `${line}\n`]),
  );
  for (const { key, data } of steps) {
    if (data === undefined) lines.delete(key);
    else lines.set(key, lineOf(key, data));
  }
  const keys = [...lines.keys()].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  return digestOf(keys.map((key) => lines.get(key) ?? ''));
}

async function get(running: RunningApi, path: string, accept = 'application/json') {
  const { port } = running.app.server.address() as AddressInfo;
  const answer = await fetch(`http://127.0.0.1:${port}${path}`, { headers: { Accept: accept } });
  expect(answer.status, path).toBe(200);
  return { text: await answer.text(), revision: answer.headers.get('Diptych-Revision') ?? '' };
}

const exported = (running: RunningApi) =>
  get(running, `/v1/collections/${collection}/records`, 'application/x-ndjson');

/** Follows a form of the feed from a position, until the writers are done and nothing more comes. */
async function follow(
  running: RunningApi,
  { form, after }: { form: 'changes' | 'rows'; after: string },
  isWriting: () => boolean,
  stepsOf: (page: Record<string, never>) => { steps: Step[]; next: string | null; head: number },
): Promise<Step[]> {
  const seen: Step[] = [];
  for (let position = `after=${after}`; ; ) {
    const wasWriting = isWriting();
    const { text } = await get(running, `/v1/changes?format=${form}&limit=7&${position}`);
    const { steps, next, head } = stepsOf(JSON.parse(text));
    seen.push(...steps);
    const isAtHead = next === null || next === String(head);
    if (!wasWriting && isAtHead && steps.length === 0) return seen;
    position = form === 'rows' ? `cursor=${next ?? head}` : `after=${next}`;
  }
}

interface Changes {
  changes: { key: string; after: { data: JsonValue } | null }[];
  next: string;
  head: number;
}

interface Rows {
  data: { record_key: string; row_kind: string; payload: JsonValue }[];
  next_cursor: string | null;
  head: number;
}

test('an export at a revision and the feed after it are the same as an export at the end, in the middle of writers', async () => {
  const running = await startApi();
  await putCollection(running.context, { collection, definition: {}, precondition: {}, actor: ann });
  const { halfway, all } = startWriters(running);
  let isWriting = true;
  const done = all.then(() => {
    isWriting = false;
  });
  // A writer that fails is told at once, not after the time is over.
  await Promise.race([halfway, all]);
  const snapshot = await exported(running);
  const changes = follow(
    running,
    { form: 'changes', after: snapshot.revision },
    () => isWriting,
    (page) => {
      const { changes: found, next, head } = page as unknown as Changes;
      return { steps: found.map(({ key, after }) => ({ key, data: after?.data })), next, head };
    },
  );
  const rows = follow(
    running,
    { form: 'rows', after: snapshot.revision },
    () => isWriting,
    (page) => {
      const { data, next_cursor: next, head } = page as unknown as Rows;
      const last = data.filter(({ row_kind }) => row_kind !== '-U');
      const steps = last.map(({ record_key: key, row_kind, payload }) => ({
        key,
        data: row_kind === '-D' ? undefined : payload,
      }));
      return { steps, next, head };
    },
  );
  const copies = await Promise.all([changes, rows]);
  await done;
  const end = await exported(running);
  expect(Number(end.revision)).toBeGreaterThan(Number(snapshot.revision));
  for (const steps of copies) {
    expect(steps.length).toBeGreaterThan(commitsEach);
    expect(digestOfCopy(snapshot.text, steps)).toBe(digestOf([end.text]));
    // Negative control: a copy that lost a single change is told apart.
    expect(digestOfCopy(snapshot.text, steps.slice(0, -1))).not.toBe(digestOf([end.text]));
  }
});
