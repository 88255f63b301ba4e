import {
  type Answer,
  type Committed,
  type Diff,
  type LiveRecord,
  newIdempotencyKey,
  type Problem,
  type Report,
} from '../client.js';
import { canonical, digestOf } from '../content.js';
import { readAll, readPages, snapshotOf } from '../reader.js';
import { type LoadedRelease, recordPath, type Stage } from './stage.js';

/** Changed in both later releases: its address in one, its text in the other. */
const CORRECTED = 'MIT';

export async function showDiff(stage: Stage): Promise<void> {
  const { api, screen, claims } = stage;
  screen.heading(`5  What became of ${CORRECTED}`);
  const { body } = await api.call<Diff>('GET', `${recordPath(stage, CORRECTED)}/versions/3/diff?against=1`);
  for (const { pointer, before, after } of body.changes) {
    const [removed, added] = aroundFirstDifference(String(before), String(after));
    screen.line(`    ${pointer}`);
    screen.line(`    ${screen.style('red', `- ${removed}`)}`);
    screen.line(`    ${screen.style('green', `+ ${added}`)}`);
  }
  claims.equal(
    body.changes.map(({ pointer }) => pointer).sort(),
    ['/licenseText', '/url'],
    'Its diff from version 1 to version 3 names the address and the text, and nothing else',
  );
}

export async function readThePast(stage: Stage, releases: LoadedRelease[]): Promise<void> {
  const { api, screen, claims, collection, timeline } = stage;
  const [first, second] = releases;
  const [gone] = second?.difference.removed ?? [];
  if (first === undefined || gone === undefined) {
    throw new Error('There is no release to look back at');
  }
  screen.heading(`6  The list as it was at release ${first.release.name}`);
  const { revision } = first.era;
  const past = snapshotOf(await readAll(readPages(api, collection, `revision=${revision}`)));
  claims.equal(
    past.size,
    first.release.licences.size,
    `At revision ${revision} there are ${past.size} licences`,
  );
  claims.check(timeline.explains({ ...past, revision }), 'and every character is as it was');

  const today = await api.statusOf(recordPath(stage, gone));
  const then = await api.call<LiveRecord>('GET', `${recordPath(stage, gone)}?revision=${revision}`);
  claims.equal(
    [today, then.body.version],
    [410, 1],
    `${gone} is gone today (410), and there at revision ${revision}`,
  );

  const approved = await readAll(
    readPages(api, collection, `revision=${revision}&filter[osiApproved][eq]=true&fields=osiApproved`, 500),
  );
  const expected = [...first.release.licences]
    .filter(([, { osiApproved }]) => osiApproved)
    .map(([key]) => key);
  claims.equal(
    approved.items.map(({ key }) => key).sort(),
    expected.sort(),
    `A filter looks back as well: ${expected.length} were approved by the OSI then`,
  );
}

export async function plantInvalidLicence(stage: Stage): Promise<void> {
  const { api, screen, claims } = stage;
  screen.heading('7  Two licences that must not get in');

  const planted = recordPath(stage, 'Demo-Trust-Me');
  const data = { name: 'X', url: 'trust.me', osiApproved: 'of course', licenseText: 'Trust me, it is fine.' };
  await api.call('PUT', `${planted}/pending`, { body: { data }, expect: 201 });
  const report = await validate(stage, planted);
  screen.line('    Demo-Trust-Me, staged as a pending version:');
  explain(stage, report.body);
  claims.equal(
    report.body.errors.map(({ pointer }) => pointer).sort(),
    ['/data/name', '/data/osiApproved', '/data/url'],
    'Validation names every failure at once, with its place',
  );
  await refuse(stage, planted, report);
  claims.equal(await api.statusOf(planted), 404, 'and readers never knew of it (404)');

  const path = recordPath(stage, CORRECTED);
  const patch = { data: { osiApproved: false } };
  await api.call('PATCH', `${path}/pending`, {
    body: patch,
    headers: { 'Content-Type': 'application/merge-patch+json' },
    expect: 201,
  });
  const withdrawal = await validate(stage, path);
  screen.line(`    ${CORRECTED}, with its approval withdrawn by a merge patch:`);
  explain(stage, withdrawal.body);
  claims.equal(
    withdrawal.body.errors.map(({ rule }) => rule),
    ['approval-stays'],
    'A rule judges the transition, not only the content',
  );
  await refuse(stage, path, withdrawal);
}

export async function correctOneLicence(stage: Stage, releases: LoadedRelease[]): Promise<void> {
  const { api, screen, claims, timeline } = stage;
  const licences = new Map(releases.at(-1)?.release.licences);
  const [original, wanted] = [releases[0]?.release.licences.get(CORRECTED), licences.get(CORRECTED)];
  if (original === undefined || wanted === undefined) {
    throw new Error(`${CORRECTED} is in no release`);
  }
  screen.heading(`8  ${CORRECTED} rolled back, and put right again`);
  const path = recordPath(stage, CORRECTED);
  const rollback = await api.call<Committed>('POST', `${path}/rollback`, {
    body: { toVersion: 1, message: 'As it was in the first release' },
    headers: { 'Idempotency-Key': newIdempotencyKey() },
  });
  const { revision } = rollback.body;
  timeline.add({
    name: 'the rollback',
    revision,
    state: new Map(licences).set(CORRECTED, original),
    changeCount: 1,
  });
  const rolledBack = await api.call<LiveRecord>('GET', path);
  claims.equal(
    [rolledBack.body.version, canonical(rolledBack.body.data)],
    [1, canonical(original)],
    `The pointer moved back to version 1, in revision ${revision}; nothing was copied`,
  );

  await api.call('PUT', `${path}/pending`, {
    body: { data: wanted, message: 'Put right again' },
    expect: 201,
  });
  const { body: report } = await validate(stage, path);
  const unseen = await api.call<LiveRecord>('GET', path);
  claims.equal(unseen.body.version, 1, 'Staged and validated; readers still see version 1');
  const commit = await api.call<Committed>('POST', `${path}/pending/commit`, {
    body: { receipt: report.receipt },
    headers: { 'Idempotency-Key': newIdempotencyKey() },
  });
  timeline.add({ name: 'the last release', revision: commit.body.revision, state: licences, changeCount: 1 });
  const list = await readAll(readPages(api, stage.collection));
  claims.equal(
    [commit.body.changes[0]?.after, digestOf(list.items.map(({ key, data }) => [key, data] as const))],
    [4, digestOf(licences)],
    `Committed with the receipt of its validation: version 4, in revision ${commit.body.revision}`,
  );
}

function validate({ api }: Stage, path: string): Promise<Answer<Report>> {
  return api.call<Report>('POST', `${path}/pending/validate`);
}

function explain({ screen }: Stage, report: Report): void {
  for (const { pointer, rule, message } of report.errors) {
    screen.line(
      `      ${screen.style('yellow', pointer)}  ${rule === undefined ? '' : `${rule}: `}${message}`,
    );
  }
}

/** The commit is refused with the same failures, and the pending version is discarded. */
async function refuse(stage: Stage, path: string, report: Answer<Report>): Promise<void> {
  const ifMatch = { 'If-Match': report.headers.get('ETag') ?? '' };
  const refusal = await stage.api.call<Problem>('POST', `${path}/pending/commit`, {
    body: {},
    headers: { ...ifMatch, 'Idempotency-Key': newIdempotencyKey() },
    expect: 422,
  });
  stage.claims.equal(
    [refusal.body.code, refusal.body.errors?.length],
    ['validation-failed', report.body.errors.length],
    'Its commit is refused (422) for the same reasons',
  );
  await stage.api.call('DELETE', `${path}/pending`, { headers: ifMatch, expect: 204 });
}

/** Both texts, cut to one line around the place where they begin to differ; line ends are shown. */
function aroundFirstDifference(before: string, after: string): [string, string] {
  let position = 0;
  while (position < before.length && before[position] === after[position]) {
    position += 1;
  }
  const start = Math.max(0, position - 30);
  const cut = (text: string) =>
    `${start > 0 ? '…' : ''}${text.slice(start, position + 40)}`.replaceAll('\n', '⏎');
  return [cut(before), cut(after)];
}
