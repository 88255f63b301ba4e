import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import Fastify from 'fastify';
import { beforeAll, describe, expect, test } from 'vitest';
import { catalogue } from '../../src/domain/errors.js';
import { newChangeset, type RunningApi, startApi } from '../support/api.js';
import { auditStore } from '../support/audit.js';
import { type ContractCheck, contractOf } from '../support/contract.js';
import { type RawAnswer, type RawRequest, sendRaw } from '../support/raw-request.js';
import { size } from '../support/size.js';
import { newWebhook } from '../support/webhooks.js';

const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31);
const casesPerOperation = size(60, 600);

interface Parameter {
  name: string;
  in: 'path' | 'query' | 'header';
  example?: unknown;
}

interface Operation {
  method: string;
  path: string;
  id: string;
  parameters: Parameter[];
  bodies: [string, unknown][];
}

interface Document {
  paths: Record<
    string,
    Record<
      string,
      {
        operationId: string;
        parameters?: Parameter[];
        requestBody?: { content: Record<string, { examples?: Record<string, { value: unknown }> }> };
      }
    >
  >;
}

/** Every operation of the document, with the examples that it shows. */
function operationsOf(document: Document): Operation[] {
  return Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({
      method: method.toUpperCase(),
      path,
      id: operation.operationId,
      parameters: operation.parameters ?? [],
      bodies: Object.entries(operation.requestBody?.content ?? {}).flatMap(([type, media]) =>
        Object.values(media.examples ?? {}).map(({ value }): [string, unknown] => [type, value]),
      ),
    })),
  );
}

/** Text as it stands on the wire, in a path or a query. */
const wireText = fc.oneof(
  fc.constantFrom(
    '%00',
    '%',
    '%zz',
    '%ff%fe',
    '%ED%A0%80',
    '..',
    '.',
    '%2e%2e',
    '..%2F..%2Fetc%2Fpasswd',
    "'%20OR%201=1--",
    '%22;DROP%20TABLE%20record;--',
  ),
  fc.constantFrom(
    '__proto__',
    'constructor',
    'toString',
    'null',
    'true',
    '',
    '-1',
    '0',
    '1e999',
    '9007199254740993',
    '99999999999999999999',
    '2147483648',
    '0x10',
    '1.5',
  ),
  fc.constantFrom(
    '%F0%9F%98%80',
    '%E6%97%A5%E6%9C%AC',
    '%D7%A9',
    'a%2Fb',
    'a'.repeat(300),
    '%41'.repeat(255),
    'W10',
    'WzEsMl0',
    'eyJhIjoxfQ',
    '12.5',
    '*',
    '2026-01-01T00:00:00Z',
    '9999-12-31T23:59:59.999Z',
  ),
  fc.string({ unit: 'grapheme', maxLength: 20 }).map((text) => encodeURIComponent(text.toWellFormed())),
);

const headerText = fc.oneof(
  fc.constantFrom(
    '*',
    '"x"',
    'W/"x"',
    '"',
    '"a", "b"',
    ',,,',
    '"p1.1~0.1.valid.0"',
    '"p1',
    'bytes=0-',
    '',
    ' ',
    '1e999',
    '-1',
    '99999999999999999999',
  ),
  fc.stringMatching(/^[!-~]{1,40}$/),
  fc.stringMatching(/^[\x80-\xff]{1,10}$/),
);

const mediaType = fc.constantFrom(
  'application/json',
  'application/json; charset=utf-8',
  'application/json; charset=latin1',
  'application/json\t',
  ' application/json',
  'application/json;;',
  'APPLICATION/JSON',
  'application/jsonx',
  'text/plain',
  'application/x-www-form-urlencoded',
  'multipart/form-data; boundary=x',
  'application/merge-patch+json',
  'application/json-patch+json',
  '*/*',
  'json',
  '',
);

/** JSON text that must be refused, or taken exactly, wherever it stands. */
const hostileJson = fc.oneof(
  fc.constantFrom(
    '1e999',
    '-1e999',
    '1e-999',
    '9007199254740993',
    '12345678901234567890',
    '0.10000000000000000055',
    '-0',
    '1E+2',
    '01',
    '+1',
    'NaN',
    'Infinity',
  ),
  fc.constantFrom(
    '"\\u0000"',
    '"\\ud800"',
    '"\\udc00x"',
    '"\u2028"',
    '"\ud800\udc00"',
    '"',
    '"\\x"',
    'nul',
    '',
    ' ',
    ',',
    '{',
    '[',
    '{"a":1,"a":2}',
    '{"":0}',
  ),
  fc.constantFrom(
    '{"__proto__":{"x":1}}',
    '{"constructor":{"prototype":{"x":1}}}',
    '{"constructor":1,"toString":2,"hasOwnProperty":3}',
    '{"\\u0000":1}',
    '{"\\ud800":1}',
  ),
  fc.constantFrom(
    '['.repeat(5_000),
    '['.repeat(5_000) + ']'.repeat(5_000),
    `${'{"a":'.repeat(5_000)}1${'}'.repeat(5_000)}`,
    `${'['.repeat(64)}${']'.repeat(64)}`,
  ),
  fc.constantFrom(
    `"${'x'.repeat(100_000)}"`,
    `[${'1,'.repeat(20_000)}1]`,
    '"\'; DROP TABLE version; --"',
    '"../../etc/passwd"',
    '"$(jndi:ldap://x)"',
    '"/a~2b"',
    '"data.x.matches(\'(a+)+$\')"',
  ),
  fc.json({ maxDepth: 4 }),
);

/** An example, with one or more of its values replaced by hostile text; of lines, one line of it. */
function mutated(example: unknown): fc.Arbitrary<string> {
  if (typeof example === 'string') {
    const lines = example.split('\n').filter((line) => line !== '');
    return fc
      .nat(Math.max(lines.length - 1, 0))
      .chain((place) =>
        mutated(JSON.parse(lines[place] ?? '{}')).map((line) => lines.with(place, line).join('\n')),
      );
  }
  const text = JSON.stringify(example);
  const places = [...text.matchAll(/"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?|true|false|null|[{[]/g)].map(
    (match) => [match.index, match[0]] as const,
  );
  return fc.oneof(
    { weight: 2, arbitrary: fc.constant(text) },
    {
      weight: 6,
      arbitrary: fc.tuple(fc.nat(Math.max(places.length - 1, 0)), hostileJson).map(([place, hostile]) => {
        const [at, found] = places[place] ?? [0, ''];
        return text.slice(0, at) + hostile + text.slice(at + found.length);
      }),
    },
    { weight: 2, arbitrary: hostileJson },
    { weight: 1, arbitrary: fc.nat(text.length).map((length) => text.slice(0, length)) },
  );
}

/** Mostly as documented, with something hostile in one place or several. */
function requestsOf({ method, path, parameters, bodies }: Operation): fc.Arbitrary<RawRequest> {
  const rarely = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { freq: 2, nil: undefined });
  const example = (parameter: Parameter) =>
    parameter.example === undefined ? '1' : String(parameter.example);
  const inPath = parameters.filter((parameter) => parameter.in === 'path');
  const inQuery = parameters.filter((parameter) => parameter.in === 'query' && parameter.name !== 'wait');
  const inHeader = parameters.filter(
    (parameter) => parameter.in === 'header' && parameter.name !== 'Diptych-Min-Revision',
  );
  const target = fc
    .tuple(
      fc.tuple(
        ...inPath.map((parameter) =>
          fc.oneof(
            { weight: 3, arbitrary: fc.constant(encodeURIComponent(example(parameter))) },
            { weight: 1, arbitrary: wireText },
          ),
        ),
      ),
      fc.tuple(
        ...inQuery.map((parameter) =>
          rarely(
            fc.tuple(
              fc.constant(parameter.name === 'filter' ? 'filter[price][gte]' : parameter.name),
              wireText,
            ),
          ),
        ),
      ),
      rarely(fc.tuple(wireText, wireText)),
    )
    .map(([names, query, extra]) => {
      const filled = inPath.reduce(
        (text, parameter, index) => text.replace(`{${parameter.name}}`, () => names[index] ?? ''),
        path,
      );
      const pairs = [...query, extra].flatMap((pair) => (pair ? [pair.join('=')] : []));
      return pairs.length > 0 ? `${filled}?${pairs.join('&')}` : filled;
    });
  const headers = fc.tuple(
    ...inHeader.map((parameter) => rarely(fc.tuple(fc.constant(parameter.name), headerText))),
  );
  const body =
    bodies.length === 0
      ? fc.constant(null)
      : fc.constantFrom(...bodies).chain(([type, value]) =>
          fc.tuple(
            fc.oneof({ weight: 9, arbitrary: fc.constant(type) }, { weight: 1, arbitrary: mediaType }),
            fc.oneof(
              { weight: 20, arbitrary: mutated(value).map((text) => Buffer.from(text)) },
              {
                weight: 1,
                arbitrary: fc.constantFrom(
                  Buffer.from([0xff, 0xfe, 0x22]),
                  Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22]),
                  Buffer.alloc(0),
                ),
              },
            ),
          ),
        );
  return fc.tuple(target, headers, body).map(([line, given, content]) => ({
    method,
    target: line.replace(/[\s#]/g, '+'),
    headers: [
      ...given.flatMap((header) => (header ? [header] : [])),
      ...(content ? [['Content-Type', content[0]] as [string, string]] : []),
    ],
    body: content?.[1] ?? null,
  }));
}

/** The operation with a changeset and a webhook that there are, for those of its examples. */
function withExisting(operation: Operation, ids: Record<string, string>): Operation {
  const parameters = operation.parameters.map((parameter) =>
    parameter.in === 'path' && ids[parameter.name] !== undefined
      ? { ...parameter, example: ids[parameter.name] }
      : parameter,
  );
  return { ...operation, parameters };
}

function bodyOf({ headers, text }: RawAnswer): unknown {
  if (text === '') return undefined;
  return /[/+]json/.test(headers['content-type'] ?? '') ? JSON.parse(text) : text;
}

/** What is wrong with an answer, whatever was asked: the oracle of every case. */
function judge(check: ContractCheck, request: RawRequest, answer: RawAnswer): void {
  const { status, headers } = answer;
  const body = bodyOf(answer);
  if (status >= 500)
    throw new Error(`${request.method} ${request.target}: ${status} ${answer.text.slice(0, 300)}`);
  check({ method: request.method, url: request.target, status, headers, body });
  const code = typeof body === 'object' && body !== null && 'code' in body ? String(body.code) : undefined;
  if (status >= 400 && !Object.hasOwn(catalogue, code ?? ''))
    throw new Error(`${code} is no code of the catalogue`);
}

const portOf = (app: { server: { address(): unknown } }) => (app.server.address() as AddressInfo).port;

describe(`hostile requests (seed ${seed})`, () => {
  let api: RunningApi;
  let check: ContractCheck;
  let operations: Operation[] = [];

  beforeAll(async () => {
    api = await startApi();
    check = await contractOf(api.app);
    operations = operationsOf(api.app.swagger() as unknown as Document);
    await api.call.put('/v1/collections/products').send({}).expect(201);
    const changes = [
      {
        collection: 'products',
        key: 'espresso-machine',
        operation: 'put',
        data: { name: 'Espresso machine', price: 5 },
      },
    ];
    await api.call.post('/v1/commits').send({ changes }).expect(200);
  });

  test('every operation answers every one of them as documented, and never with a 5xx', {
    timeout: 900_000,
  }, async () => {
    expect(operations.length).toBeGreaterThan(25);
    const statuses = new Map<number, number>();
    for (const documented of operations) {
      const operation = withExisting(documented, {
        changeset: (await newChangeset(api.call)).id,
        // A name that leads nowhere.
        webhook: (await newWebhook(api.call, { url: 'http://localhost.invalid:1/' })).id,
      });
      await fc.assert(
        fc.asyncProperty(requestsOf(operation), async (request) => {
          const answer = await sendRaw(portOf(api.app), request);
          judge(check, request, answer);
          statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
        }),
        { numRuns: casesPerOperation, seed, endOnFailure: true },
      );
    }
    // A fuzzer that is always refused at the door would prove nothing.
    for (const status of [200, 400, 404, 422])
      expect(statuses.get(status), `answers with ${status}`).toBeGreaterThan(0);
    expect(await auditStore(api.db)).toEqual([]);
    await api.call.get('/v1/collections').expect(200);
  });

  test('every other method is refused with 405 and the methods that there are', async () => {
    const paths = [...new Set(operations.map((operation) => operation.path))].filter((path) =>
      path.startsWith('/v1'),
    );
    for (const path of paths) {
      const known = operations
        .filter((operation) => operation.path === path)
        .map((operation) => operation.method);
      const allowed = new Set([...known, ...(known.includes('GET') ? ['HEAD'] : []), 'OPTIONS']);
      const target = path
        .replace(/\{revision\}|\{version\}|\{number\}/g, '1')
        .replace(/\{\w+\}/g, 'products');
      for (const method of ['GET', 'PUT', 'POST', 'PATCH', 'DELETE', 'TRACE', 'PROPFIND'].filter(
        (other) => !allowed.has(other),
      )) {
        const answer = await sendRaw(portOf(api.app), { method, target, headers: [], body: null });
        expect(answer.status, `${method} ${target}`).toBe(405);
        expect(new Set(answer.headers.allow?.split(', ')), `${method} ${target}`).toEqual(allowed);
      }
    }
  });

  test('negative control: the oracle catches a 5xx, an undocumented status, and an error that is no problem document', async () => {
    const planted = Fastify();
    planted.get('/v1/collections', async (request, reply) =>
      reply.code(Number(request.headers['x-status'])).send({ code: 'broken' }),
    );
    await planted.listen({ host: '127.0.0.1', port: 0 });
    for (const status of ['500', '418', '400', '200']) {
      const request: RawRequest = {
        method: 'GET',
        target: '/v1/collections',
        headers: [['X-Status', status]],
        body: null,
      };
      const answer = await sendRaw(portOf(planted), request);
      expect(() => judge(check, request, answer), status).toThrow();
    }
    await planted.close();
  });
});
