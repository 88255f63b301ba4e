import { type Changeset, type Committed, newIdempotencyKey, type Report, type Staged } from '../client.js';
import type { Line } from '../ndjson.js';
import { grouped, type Stage } from './stage.js';

/** A changeset may be opened on another service than the one that the story is about. */
export type Place = Pick<Stage, 'api' | 'screen' | 'claims' | 'timings'>;

/** Every so many lines the bar moves. */
const PROGRESS_LINES = 250;

export async function openChangeset({ api }: Place, title: string): Promise<string> {
  const { body } = await api.call<Changeset>('POST', '/v1/changesets', { body: { title }, expect: 201 });
  return body.id;
}

/** Sends `lines` to a changeset in one request, as they come, and claims what became of them. */
export async function stageLines(
  { api, screen, claims, timings }: Place,
  id: string,
  lines: Iterable<Line> | AsyncIterable<Line>,
  expected: { name: string; staged: number; unchanged: number },
): Promise<void> {
  const { name, staged, unchanged } = expected;
  const total = staged + unchanged;
  const bar = screen.bar(total);
  const answer = await timings.measure(`${name}: staged`, total, () =>
    api.send<Staged>(
      `/v1/changesets/${id}/stage`,
      counted(lines, (sent) => bar.update(sent, `${grouped(sent)} lines sent`)),
    ),
  );
  bar.done();
  claims.equal(
    [answer.staged, answer.unchanged, answer.failed, answer.errors],
    [staged, unchanged, 0, []],
    `${grouped(total)} lines sent: ${grouped(staged)} staged, ${grouped(unchanged)} unchanged, none failed`,
  );
}

/** Claims that the changeset is valid. Returns the receipt that says so. */
export async function validate(
  { api, claims, timings }: Place,
  id: string,
  expected: { name: string; members: number },
): Promise<string | null> {
  const { body } = await timings.measure(`${expected.name}: validated`, expected.members, () =>
    api.call<Report>('POST', `/v1/changesets/${id}/validate`),
  );
  claims.equal(
    [body.valid, body.errors, typeof body.receipt],
    [true, [], 'string'],
    `Validated: all ${grouped(expected.members)} pass schema and rules, and there is a receipt for it`,
  );
  return body.receipt;
}

/** Commits what the receipt is for, and claims that it was one revision. */
export async function commit(
  { api, claims, timings }: Place,
  id: string,
  expected: { name: string; members: number; receipt: string | null },
): Promise<number> {
  const path = `/v1/changesets/${id}/commit`;
  const options = {
    body: { message: expected.name, receipt: expected.receipt },
    headers: { 'Idempotency-Key': newIdempotencyKey() },
  };
  const { body } = await timings.measure(`${expected.name}: committed`, expected.members, () =>
    api.call<Committed>('POST', path, options),
  );
  claims.equal(
    [body.changeCount, body.unchanged],
    [expected.members, false],
    `Committed with the receipt: ${grouped(expected.members)} records in one revision, ${body.revision}`,
  );
  const repeat = await api.call<Committed>('POST', path, options);
  claims.equal(
    [repeat.headers.get('Idempotency-Replayed'), repeat.body.revision],
    ['true', body.revision],
    'The same request sent again gave the same answer and changed nothing',
  );
  return body.revision;
}

async function* counted(
  lines: Iterable<Line> | AsyncIterable<Line>,
  onProgress: (sent: number) => void,
): AsyncGenerator<Line> {
  let sent = 0;
  for await (const line of lines) {
    yield line;
    sent += 1;
    if (sent % PROGRESS_LINES === 0) {
      onProgress(sent);
    }
  }
}
