import type { AddressInfo } from 'node:net';
import supertest from 'supertest';
import type { Server } from '../../src/http/server.js';
import { contractOf } from './contract.js';

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
          body: isEmpty ? undefined : isJson(response.headers) ? response.body : response.text,
        });
      }),
  ]);
  return Object.fromEntries(calls) as Api;
}

function isJson(headers: Record<string, string | undefined>): boolean {
  return /json/.test(headers['content-type'] ?? '');
}
