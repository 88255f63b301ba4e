import type { Response } from 'supertest';
import { beforeAll, expect, test } from 'vitest';
import { type Api, newCollection, startApi } from '../support/api.js';

let call: Api;
beforeAll(async () => {
  ({ call } = await startApi());
});

test('200 pages all collections by name', async () => {
  const names: string[] = [];
  for (let index = 0; index < 5; index += 1) {
    names.push((await newCollection(call)).name);
  }
  const seen: string[] = [];
  let url: string | null = '/v1/collections?limit=2';
  while (url !== null) {
    const { body, headers }: Response = await call.get(url).expect(200);
    seen.push(...body.items.map((item: { name: string }) => item.name));
    const [, link]: (string | undefined)[] = /^<([^>]+)>; rel="next"$/.exec(headers.link ?? '') ?? [];
    expect(link !== undefined).toBe(body.next !== null);
    url = link ?? null;
  }
  expect(seen).toEqual(names.sort());
});

test('304 until something is committed', async () => {
  const { headers } = await call.get('/v1/collections').expect(200);
  await call
    .get('/v1/collections')
    .set('If-None-Match', headers.etag ?? '')
    .expect(304);
  await newCollection(call);
  await call
    .get('/v1/collections')
    .set('If-None-Match', headers.etag ?? '')
    .expect(200);
});

test.each(['x', 'e30', 'bnVsbA', '%F0%9F%98%80'])('400 for the cursor %s, which is none', async (cursor) => {
  const { body } = await call.get(`/v1/collections?cursor=${cursor}`).expect(400);
  expect(body.code).toBe('cursor-invalid');
});
