import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Api, api } from '../support/api.js';
import { type OfflineApp, offlineApp } from './offline-app.js';

let offline: OfflineApp;
let call: Api;

beforeAll(async () => {
  offline = await offlineApp();
  call = await api(offline.app);
});
afterAll(() => offline.close());

const PENDING = '/v1/collections/products/records/espresso-machine/pending';

describe('what there is not', () => {
  test('an unknown path is 404 route-not-found', async () => {
    const { body } = await call.get('/v2/nothing').expect(404);
    expect(body).toMatchObject({ type: '/problems/route-not-found', code: 'route-not-found', status: 404 });
  });

  test.each([
    ['post', '/v1/collections/products', 'GET, HEAD, PUT, DELETE, OPTIONS'],
    ['delete', '/v1/commits', 'GET, HEAD, POST, OPTIONS'],
    ['put', '/livez', 'GET, HEAD, OPTIONS'],
    ['get', `${PENDING}/commit`, 'POST, OPTIONS'],
    ['patch', '/v1/collections/products/records/a%2Fb', 'GET, HEAD, OPTIONS'],
    ['post', '/docs/static/index.html', 'GET, HEAD, OPTIONS'],
  ] as const)('%s %s is 405 with Allow', async (method, path, allow) => {
    const { headers, body } = await call[method](path).expect(405);
    expect(headers.allow).toBe(allow);
    expect(body.code).toBe('method-not-allowed');
  });

  test.each(['PROPFIND', 'TRACE', 'QUERY', 'LINK'])(
    '%s is 405 before its body is looked at',
    async (method) => {
      const { statusCode, headers } = await offline.app.inject({
        method: method as 'GET',
        url: '/v1/collections',
        headers: { 'content-type': 'text/strange' },
      });
      expect(statusCode).toBe(405);
      expect(headers.allow).toBe('GET, HEAD, OPTIONS');
    },
  );

  test('a wrong method is refused without reading a broken body', async () => {
    await call.post('/v1/collections/products').type('application/json').send('{broken').expect(405);
  });

  test('OPTIONS says what a path takes', async () => {
    const { headers } = await call.options(PENDING).expect(204);
    expect(headers.allow).toBe('GET, HEAD, PUT, PATCH, DELETE, OPTIONS');
    expect(headers['accept-patch']).toBe('application/merge-patch+json, application/json-patch+json');
  });

  test('OPTIONS of an unknown path is 404', async () => {
    await call.options('/nothing').expect(404);
  });

  test.each(['/v1/collections/%zz', '/v1/collections/products/records/%ff', '/%', '/v1/%C3/x'])(
    'broken percent-encoding in a path is 400: %s',
    async (url) => {
      const { statusCode, headers } = await offline.app.inject({ method: 'PROPPATCH' as 'GET', url });
      const read = await offline.app.inject({ url });
      expect([statusCode, read.statusCode]).toEqual([400, 400]);
      expect(headers['content-type']).toBe('application/problem+json');
      expect(read.headers['x-request-id']).toBeDefined();
    },
  );
});

describe('the form of a request', () => {
  test('everything that is wrong is named at once, with its place', async () => {
    const { body } = await call
      .put('/v1/collections/Products/records/./pending?changeset=7&unknown=1'.replace('/./', '/%01/'))
      .set('If-Match', 'unquoted')
      .send({ data: [], surplus: 1, message: 7 })
      .expect(400);
    expect(body.code).toBe('invalid-request');
    expect(
      body.errors.map((error: { in?: string; pointer: string }) => `${error.in ?? 'body'} ${error.pointer}`),
    ).toEqual([
      'path /collection',
      'path /key',
      'query /changeset',
      'query /unknown',
      'header /if-match',
      'body /data',
      'body /message',
      'body /surplus',
    ]);
  });

  test.each([
    '/v1/collections?limit=0',
    '/v1/collections?limit=1e3',
    '/v1/collections?limit=%201',
    '/v1/collections?limit=',
    '/v1/collections?limit=0x10',
    '/v1/collections?limit=1&limit=1',
    '/v1/collections?__proto__=1',
    '/v1/collections?constructor=1',
    '/v1/collections?filter[a][eq]=1',
    '/v1/collections/products/records?filter=1',
    '/v1/collections/products/records?filter[a]=1',
    '/v1/collections/products/records?filter[a][like]=1',
    '/v1/collections/products/records?sort=',
    '/v1/collections/products/records?fields=a,,b',
    '/v1/collections/products/records?keyPrefix=%00',
    '/v1/collections/products/records?revision=1&at=2026-11-22T10:00:00Z',
    '/v1/collections/products/records?at=yesterday',
    '/v1/collections/products/records/a/versions/0',
    '/v1/collections/products/records/a/versions/1.5',
    '/v1/collections/products/records/a/versions/99999999999999999999',
    '/v1/commits/0',
    '/v1/commits/abc',
    '/v1/commits?idempotencyKey=',
    '/v1/pending?outdated=yes',
    '/v1/changes?wait=61',
    '/v1/changes?after=-1',
    '/v1/changes?after=1.x',
    '/v1/changes?format=xml',
    '/livez?verbose=1',
    '/v1/collections/products/records/',
  ])('%s is 400 with a failure that names the place', async (url) => {
    const { body } = await call.get(url).expect(400);
    expect(body.code).toBe('invalid-request');
    expect(body.errors.length).toBeGreaterThan(0);
    expect(body.errors[0].in).toMatch(/query|path/);
  });

  test('a malformed condition or bound in a header is 400', async () => {
    const { body } = await call
      .get('/v1/collections')
      .set('If-None-Match', 'abc')
      .set('Diptych-Min-Revision', '1.0')
      .expect(400);
    expect(body.errors).toMatchObject([
      { in: 'header', pointer: '/if-none-match' },
      { in: 'header', pointer: '/diptych-min-revision' },
    ]);
  });

  test('a request that says nothing where data is needed is 400', async () => {
    const { body } = await call.put(PENDING).send({}).expect(400);
    expect(body.errors).toMatchObject([{ pointer: '/data', code: 'required' }]);
  });

  test('no body where one is needed is 400', async () => {
    const { body } = await call.post('/v1/commits').expect(400);
    expect(body.errors).toMatchObject([{ pointer: '', code: 'required' }]);
  });

  test('a body where none belongs is 400', async () => {
    await call.delete(PENDING).set('If-Match', '*').send({ reason: 'x' }).expect(400);
  });

  test('the operations of a JSON Patch are named one by one', async () => {
    const { body } = await call
      .patch(PENDING)
      .type('application/json-patch+json')
      .send(
        '[{"op":"add","path":"/a","value":1},{"op":"move","path":"/a"},{"op":"jump"},{"op":"add","path":"x","value":1}]',
      )
      .expect(400);
    expect(body.errors.map((error: { pointer: string }) => error.pointer)).toEqual([
      '/1/from',
      '/2/op',
      '/3/path',
    ]);
  });

  test('the changes of a commit are named one by one', async () => {
    const changes = [
      { collection: 'products', key: 'a', operation: 'put', data: {} },
      { collection: 'products', key: '..', operation: 'put', data: {} },
      { collection: 'products', key: 'b', operation: 'delete', data: {} },
      { collection: 'products', key: 'c', operation: 'merge', patch: [], ifVersion: -1 },
      { collection: 'products', key: 'd', operation: 'replace', data: {} },
    ];
    const { body } = await call.post('/v1/commits').send({ changes }).expect(400);
    expect(body.errors.map((error: { pointer: string }) => error.pointer)).toEqual([
      '/changes/1/key',
      '/changes/2/data',
      '/changes/3/ifVersion',
      '/changes/3/patch',
      '/changes/4/operation',
    ]);
  });
});

describe('bodies', () => {
  test.each([
    ['{"data": {', 'malformed-json', 400],
    ['{"data": {}} trailing', 'malformed-json', 400],
    ['\ufeff{"data": {}}', 'malformed-json', 400],
    ['{"data": {"a": NaN}}', 'malformed-json', 400],
    ['{"data": {"__proto__": {"admin": true}}}', 'forbidden-member', 400],
    ['{"data": {"constructor": {"prototype": {}}}}', 'forbidden-member', 400],
    ['{"data": {"a": 12345678901234567890}}', 'unstorable-data', 422],
    ['{"data": {"a": 1e400}}', 'unstorable-data', 422],
    ['{"data": {"a": "\\u0000"}}', 'unstorable-data', 422],
    ['{"data": {"a": "\\ud800"}}', 'unstorable-data', 422],
    ['{"data": {"a": 1, "a": 2}}', 'unstorable-data', 422],
    [`{"data": ${'{"a":'.repeat(5000)}1${'}'.repeat(5001)}`, 'unstorable-data', 422],
  ])('%.60s is %s', async (text, code, status) => {
    const { body } = await call.put(PENDING).type('application/json').send(text).expect(status);
    expect(body).toMatchObject({ code, errors: [{ pointer: expect.any(String) }] });
  });

  test('a pointer leads to what cannot be stored', async () => {
    const { body } = await call
      .put(PENDING)
      .type('application/json')
      .send('{"data":{"list":[1,1e400]}}')
      .expect(422);
    expect(body.errors[0].pointer).toBe('/data/list/1');
  });

  test('bytes that are no UTF-8 are 400', async () => {
    const { statusCode, body } = await offline.app.inject({
      method: 'PUT',
      url: PENDING,
      headers: { 'content-type': 'application/json' },
      payload: Buffer.from([0x22, 0xff, 0x22]),
    });
    expect([statusCode, JSON.parse(body).code]).toEqual([400, 'malformed-json']);
  });

  test('a body over the limit is 413', async () => {
    const { body } = await call
      .put(PENDING)
      .send({ data: { text: 'x'.repeat(100_000) } })
      .expect(413);
    expect(body.code).toBe('body-too-large');
  });

  test.each([
    'text/plain',
    'application/xml',
    'application/merge-patch+json',
    'application/json; charset=latin1',
    'application/jsonx',
    'application/json, text/plain',
    'json',
  ])('a body of type %s is 415 with Accept', async (type) => {
    const { statusCode, headers, body } = await offline.app.inject({
      method: 'PUT',
      url: PENDING,
      headers: { 'content-type': type },
      payload: '{"data":{}}',
    });
    expect([statusCode, JSON.parse(body).code]).toEqual([415, 'unsupported-media-type']);
    expect(headers.accept).toBe('application/json');
  });

  test('PATCH with plain JSON is 415 with Accept-Patch', async () => {
    const { headers } = await call.patch(PENDING).send({ data: {} }).expect(415);
    expect(headers['accept-patch']).toBe('application/merge-patch+json, application/json-patch+json');
  });

  test('a body without a type is 415', async () => {
    const answer = await offline.app.inject({
      method: 'PUT',
      url: PENDING,
      payload: Buffer.from('{"data":{}}'),
    });
    expect(answer.statusCode).toBe(415);
  });

  // The database is away, so a request that is in order ends in 503.
  test.each([
    ['application/json', '{"data":{}}'],
    ['application/json; charset=utf-8', '{"data":{}}'],
    ['APPLICATION/JSON;charset="UTF-8"', ' {"data":{}}\n'],
  ])('a body of type %s is taken', async (type, payload) => {
    const answer = await offline.app.inject({
      method: 'PUT',
      url: PENDING,
      headers: { 'content-type': type },
      payload,
    });
    expect(answer.statusCode).toBe(503);
  });

  test.each([{}, { 'content-type': 'text/plain' }, { 'content-type': 'application/json' }])(
    'no bytes are no body where it is optional, with the headers %j',
    async (headers) => {
      const answer = await offline.app.inject({ method: 'POST', url: `${PENDING}/validate`, headers });
      expect(answer.statusCode).toBe(503);
    },
  );
});

describe('every answer', () => {
  test('names its request by a new id', async () => {
    const first = await call.get('/livez').expect(200);
    const second = await call.get('/livez').expect(200);
    expect(first.headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
    expect(second.headers['x-request-id']).not.toBe(first.headers['x-request-id']);
  });

  test('keeps the id that the caller gave, if it is harmless', async () => {
    const kept = await call.get('/nothing').set('X-Request-Id', 'gateway-0123456789').expect(404);
    expect(kept.body).toMatchObject({
      requestId: 'gateway-0123456789',
      instance: '/problems/route-not-found#gateway-0123456789',
    });
    const replaced = await call.get('/livez').set('X-Request-Id', 'a b').expect(200);
    expect(replaced.headers['x-request-id']).not.toBe('a b');
  });

  test('may not be sniffed, framed or run', async () => {
    const { headers } = await call.get('/livez').expect(200);
    expect(headers['x-content-type-options']).toBe('nosniff');
    expect(headers['content-security-policy']).toBe("default-src 'none'; frame-ancestors 'none'");
  });

  test('is one line in the log, at info for a client error', async () => {
    offline.lines.length = 0;
    await call.get('/v1/commits/abc').expect(400);
    expect(offline.lines).toMatchObject([
      {
        level: 30,
        operation: 'getCommit',
        method: 'GET',
        url: '/v1/commits/abc',
        status: 400,
        code: 'invalid-request',
        durationMs: expect.any(Number),
        requestId: expect.any(String),
      },
    ]);
  });

  test('is one line at error, with its cause, when the service failed', async () => {
    offline.lines.length = 0;
    await call.get('/v1/collections').expect(503);
    expect(offline.lines).toMatchObject([{ level: 50, status: 503, err: { message: expect.any(String) } }]);
  });
});

describe('without a database', () => {
  test('the process is alive, and not ready', async () => {
    await call.get('/livez').expect(200, { live: true });
    const { body, headers } = await call.get('/readyz').expect(503);
    expect(body).toMatchObject({
      code: 'not-ready',
      checks: { process: 'ok', database: expect.any(String) },
    });
    expect(Number(headers['retry-after'])).toBeGreaterThan(0);
  });

  test.each(['/v1/collections', '/v1/changes', '/v1/collections/a/records/b'])(
    '%s is 503 with Retry-After',
    async (path) => {
      const { headers, body } = await call.get(path).expect(503);
      expect(body.code).toBe('not-ready');
      expect(headers['retry-after']).toBe('1');
    },
  );

  test('HEAD answers like GET, without a body', async () => {
    const { headers, text } = await call.head('/problems').expect(200);
    expect(Number(headers['content-length'])).toBeGreaterThan(100);
    expect(text ?? '').toBe('');
  });
});

describe('pages', () => {
  test('/problems lists every code', async () => {
    const { text, headers } = await call.get('/problems').expect(200);
    expect(headers['content-type']).toBe('text/html; charset=utf-8');
    expect(text).toContain('<a href="/problems/validation-failed">');
  });

  test('type of a problem leads to its page', async () => {
    const { body } = await call.get('/nothing').expect(404);
    const { text } = await call.get(body.type).expect(200);
    expect(text).toContain(`<h1>${body.title}</h1>`);
  });

  test('an unknown code has no page', async () => {
    const { body } = await call.get('/problems/constructor').expect(404);
    expect(body.code).toBe('route-not-found');
  });

  test('Swagger UI comes whole from the service', async () => {
    const { text, headers } = await call.get('/docs').expect(200);
    expect(text).not.toMatch(/(?:src|href)="(?:https?:)?\/\//);
    expect(headers['content-security-policy']).toContain("default-src 'none'");
    for (const [, path] of text.matchAll(/(?:src|href)="([^"]+)"/g)) {
      await call.get(path ?? '').expect(200);
    }
  });

  test('/openapi.json is the document', async () => {
    const { body } = await call.get('/openapi.json').expect(200);
    expect(body.openapi).toMatch(/^3\.1\./);
  });
});
