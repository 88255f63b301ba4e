import type { AddressInfo } from 'node:net';
import { pino } from 'pino';
import supertest from 'supertest';
import { afterAll } from 'vitest';
import { type AppOptions, buildApp } from '../../src/app.js';
import { type Context, type ContextOptions, createContext } from '../../src/commands/context.js';
import type { Server } from '../../src/http/server.js';
import { createDrain } from '../../src/lib/drain.js';
import { type Db, openDatabase } from '../../src/store/db.js';
import { contractOf } from './contract.js';
import { createTestDatabase } from './database.js';

const MEBIBYTE = 1024 * 1024;

const methods = ['get', 'head', 'put', 'patch', 'post', 'delete', 'options'] as const;

/** Supertest on a running app; every answer is held against the OpenAPI document, whatever the test expects. */
export type Api = Record<(typeof methods)[number], (path: string) => supertest.Test>;

/**
 * Starts `app` on a free port and answers the way to call it. A call whose answer the OpenAPI document does
 * not tell of (status, headers, body, code) fails its test. The caller closes `app`.
 */
export async function api(app: Server): Promise<Api> {
  const check = await contractOf(app);
  await app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = app.server.address() as AddressInfo;
  const agent = supertest(`http://127.0.0.1:${port}`);
  const calls = methods.map((method) => [
    method,
    (path: string) =>
      agent[method](path).expect((response) => {
        const isEmpty = response.text === undefined || response.text === '';
        check({
          method: method.toUpperCase(),
          url: path,
          status: response.status,
          headers: response.headers as Record<string, string>,
          body: isEmpty
            ? emptyBodyOf(response.headers)
            : isJson(response.headers)
              ? response.body
              : response.text,
        });
      }),
  ]);
  return Object.fromEntries(calls) as Api;
}

function isJson(headers: Record<string, string | undefined>): boolean {
  return /[/+]json/.test(headers['content-type'] ?? '');
}

/** No lines are a text too, where there might be any number of them. */
function emptyBodyOf(headers: Record<string, string | undefined>): string | undefined {
  return headers['content-type'] === 'application/x-ndjson' ? '' : undefined;
}

export interface RunningApi {
  call: Api;
  app: Server;
  context: Context;
  db: Db;
  beginDrain: () => void;
}

/** The service on a database of its own, for the tests of one file. */
export async function startApi(
  config: Partial<AppOptions['config'] & { maxRecordBytes: number } & Pick<ContextOptions, 'webhooks'>> = {},
  options: Pick<AppOptions, 'arrivalTimeoutMs' | 'streamTimes'> = {},
): Promise<RunningApi> {
  const database = await createTestDatabase();
  const db = openDatabase({ url: database.url, poolSize: 5 });
  const { drain, begin } = createDrain();
  const { maxRecordBytes = MEBIBYTE, webhooks, ...settings } = config;
  const context = createContext(db, { maxRecordBytes, ...(webhooks && { webhooks }) });
  const app = await buildApp({
    context,
    config: { authTokens: [], maxBodyBytes: 16 * MEBIBYTE, ...settings },
    logger: pino({ level: 'silent' }),
    drain,
    ...options,
  });
  const call = await api(app);
  afterAll(async () => {
    await app.close();
    await db.close();
    await database.drop();
  });
  return { call, app, context, db, beginDrain: begin };
}

/** Policies under which the versions but the current one go at once. */
export const archiving = { retention: { keepVersions: 1, onExpire: 'archive' } };
export const deleting = { retention: { keepVersions: 1, onExpire: 'delete' } };

let collections = 0;

/** A collection that no other test uses, and short ways to what tests need in it. */
export async function newCollection(call: Api, definition: object = {}) {
  collections += 1;
  const name = `collection-${collections}`;
  const path = `/v1/collections/${name}`;
  await call.put(path).send(definition).expect(201);
  const record = (key: string) => `${path}/records/${encodeURIComponent(key)}`;
  return {
    name,
    path,
    record,
    pending: (key: string) => `${record(key)}/pending`,
    /** Stages a whole state, over whatever is there. */
    stage: async (key: string, data: object) => {
      const first = await call.put(`${record(key)}/pending`).send({ data });
      return first.status === 201
        ? first
        : await call
            .put(`${record(key)}/pending`)
            .set('If-Match', '*')
            .send({ data })
            .expect(200);
    },
    /** Commits a whole state in one call, and answers its revision. */
    commit: async (key: string, data: object): Promise<number> => {
      const changes = [{ collection: name, key, operation: 'put', data }];
      const { body } = await call.post('/v1/commits').send({ changes }).expect(200);
      return body.revision;
    },
    /** Applies the retention policy of the collection, to its end. */
    retain: () =>
      call
        .post(`${path}/retention/run`)
        .send({})
        .expect(200)
        .expect(({ body }) => {
          if (!body.complete) throw new Error('retention did not come to the end');
        }),
    /** Deletes a record in one call, and answers the revision. */
    remove: async (key: string): Promise<number> => {
      const changes = [{ collection: name, key, operation: 'delete' }];
      const { body } = await call.post('/v1/commits').send({ changes }).expect(200);
      return body.revision;
    },
  };
}

/** An open changeset, and short ways to what tests need of it. */
export async function newChangeset(call: Api, title = 'Changeset') {
  const { body } = await call.post('/v1/changesets').send({ title }).expect(201);
  const id: string = body.id;
  return {
    id,
    path: `/v1/changesets/${id}`,
    /** Stages a body of `PUT …/pending` as a member, over whatever is there. */
    stage: async (pending: string, staged: object, actor = 'anonymous') => {
      const put = () => call.put(`${pending}?changeset=${id}`).set('Diptych-Actor', actor);
      const first = await put().send(staged);
      return first.status === 201 ? first : await put().set('If-Match', '*').send(staged).expect(200);
    },
  };
}
