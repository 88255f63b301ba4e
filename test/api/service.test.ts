import { beforeAll, expect, test } from 'vitest';
import { type Api, newCollection, startApi } from '../support/api.js';

let call: Api;
let guarded: Api;
beforeAll(async () => {
  ({ call } = await startApi());
  ({ call: guarded } = await startApi({
    authTokens: [{ actor: { name: 'ada', admin: true }, token: 'a'.repeat(32) }],
  }));
});

test('checkReadiness: 200 while the database answers', async () => {
  expect((await call.get('/readyz').expect(200)).body).toEqual({
    ready: true,
    checks: { process: 'ok', database: 'ok' },
  });
});

test('checkReadiness: 503 while the database misses a migration of this build, which it names', async () => {
  const { call: early, db } = await startApi();
  const rename = (from: string, to: string) =>
    db.query(`UPDATE _prisma_migrations SET migration_name = $2 WHERE migration_name = $1`, [from, to]);
  const [{ name } = { name: '' }] = await db.query<{ name: string }>(
    `SELECT max(migration_name) AS name FROM _prisma_migrations`,
  );
  await rename(name, 'another');
  const { body } = await early.get('/readyz').expect(503);
  expect(body).toMatchObject({ code: 'not-ready', checks: { database: `misses the migration ${name}` } });
  await rename('another', name);
  await early.get('/readyz').expect(200);
});

test('checkLiveness: 200', async () => {
  await call.get('/livez').expect(200, { live: true });
});

test('the author is the holder of the token, whatever else is said', async () => {
  const { body } = await guarded
    .put('/v1/collections/things')
    .set('Authorization', `Bearer ${'a'.repeat(32)}`)
    .set('Diptych-Actor', 'mallory')
    .send({})
    .expect(201);
  expect(body.updatedBy).toBe('ada');
});

test('the examples of the document, from top to bottom, are a story that works', async () => {
  const { body: document } = await call.get('/openapi.json').expect(200);
  interface Step {
    method: string;
    path: string;
    operation: {
      'x-order': number;
      operationId: string;
      tags: string[];
      parameters?: { name: string; in: string; required?: boolean; example?: unknown }[];
      requestBody?: { content: Record<string, { examples: Record<string, { value: unknown }> }> };
    };
  }
  const order: string[] = document.tags.map((tag: { name: string }) => tag.name);
  const steps = Object.entries<Record<string, Step['operation']>>(document.paths)
    .flatMap(([path, item]) =>
      Object.entries(item).map(([method, operation]): Step => ({ method, path, operation })),
    )
    .filter(({ operation }) => operation.tags[0] !== 'Service')
    .sort(
      (a, b) =>
        order.indexOf(a.operation.tags[0] ?? '') - order.indexOf(b.operation.tags[0] ?? '') ||
        a.operation['x-order'] - b.operation['x-order'],
    );
  const outcomes: string[] = [];
  // Ids are made by the service: a person copies those of the changeset and the webhook that were just made.
  const made: Record<string, string> = {};
  for (const { method, path, operation } of steps) {
    const { parameters = [], requestBody } = operation;
    const url = path.replace(/\{(\w+)\}/g, (_, name) =>
      encodeURIComponent(
        made[name] ?? String(parameters.find((parameter) => parameter.name === name)?.example),
      ),
    );
    const query = parameters
      .filter((parameter) => parameter.in === 'query' && parameter.required === true)
      .map(({ name, example }) => `${name}=${encodeURIComponent(String(example))}`);
    const request = call[method as 'get'](query.length === 0 ? url : `${url}?${query.join('&')}`);
    for (const { name, example } of parameters.filter((parameter) => parameter.in === 'header')) {
      if (example !== undefined) request.set(name, String(example));
    }
    const [media] = Object.entries(requestBody?.content ?? {});
    const value = media && Object.values(media[1].examples)[0]?.value;
    const { status, body } = media
      ? await request.type(media[0]).send(typeof value === 'string' ? value : JSON.stringify(value))
      : await request;
    if (operation.operationId === 'createChangeset') made.changeset = body.id;
    if (operation.operationId === 'createWebhook') made.webhook = body.id;
    outcomes.push(`${status} ${operation.operationId}`);
  }
  expect(outcomes).toEqual([
    '201 putCollection',
    '200 getCollection',
    '200 listCollections',
    '200 listDefinitions',
    '200 getDefinition',
    '201 stagePending',
    '200 patchPending',
    '200 getPending',
    '200 diffPending',
    '200 validatePending',
    '200 rebasePending',
    '200 commitPending',
    '200 listPending',
    '200 ingestRows',
    '200 getRecord',
    '200 listRecords',
    '201 createChangeset',
    '200 listChangesets',
    '200 getChangeset',
    '200 listMembers',
    '200 stageLines',
    '200 validateChangeset',
    '200 rebaseChangeset',
    '200 approveChangeset',
    '200 scheduleChangeset',
    '200 unscheduleChangeset',
    '200 commitChangeset',
    '200 commitChanges',
    '200 listCommits',
    '200 getCommit',
    '200 listCommitChanges',
    '200 revertCommit',
    '200 listVersions',
    '200 getVersion',
    '200 diffVersions',
    '200 rollbackRecord',
    '200 readChanges',
    '201 createWebhook',
    '200 listWebhooks',
    '200 getWebhook',
    '200 replaceWebhook',
    // Nobody is there, which is an answer.
    '200 testWebhook',
    '200 listWebhookDeliveries',
    '200 pauseWebhook',
    '200 resumeWebhook',
    '200 replayWebhook',
    '200 rotateWebhookSecret',
    // By then the collection is in use, and all that was staged has been committed.
    '409 deleteCollection',
    '404 discardPending',
    '409 discardChangeset',
    '204 deleteWebhook',
    '200 getRetention',
    '200 runRetention',
  ]);
});

test('newCollection makes a collection of its own for each test', async () => {
  const [one, two] = [await newCollection(call), await newCollection(call)];
  expect(one.name).not.toBe(two.name);
});
