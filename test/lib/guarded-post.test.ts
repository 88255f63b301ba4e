import type { LookupAddress, lookup } from 'node:dns';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  type AllowList,
  isHostAllowed,
  nothingAllowed,
  parseAllowList,
  refusalOfAddress,
} from '../../src/domain/webhook-address.js';
import { GuardedPoster, PostError } from '../../src/lib/guarded-post.js';
import { insideForms, loopbackForms } from '../support/private-urls.js';

const everything = parseAllowList('0.0.0.0/0, ::/0') ?? nothingAllowed;

function posterWith(allow: AllowList, resolve?: typeof lookup) {
  const guard = {
    isHostTrusted: (host: string) => isHostAllowed(host, allow),
    refusalOf: (address: string) => refusalOfAddress(address, allow),
  };
  return new GuardedPoster(guard, resolve);
}

/** Whatever name is asked for leads to these. */
function leadsTo(...answers: string[][]) {
  const asked: string[] = [];
  const resolve = ((host: string, _: object, callback: (error: null, found: LookupAddress[]) => void) => {
    asked.push(host);
    const found = answers[Math.min(asked.length, answers.length) - 1] ?? [];
    callback(
      null,
      found.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    );
  }) as unknown as typeof lookup;
  return { asked, resolve };
}

// On every address of this machine: whatever connects to any of them is counted.
let sink: Server;
let port = 0;
let connections = 0;

beforeAll(async () => {
  sink = createServer((socket) => {
    connections += 1;
    socket.on('error', () => {});
    socket.once('data', () => socket.end('HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n'));
  }).listen(0, '::');
  await once(sink, 'listening');
  port = (sink.address() as AddressInfo).port;
});

afterAll(() => sink.close());

const request = (host: string, scheme = 'http') => ({
  url: `${scheme}://${host}:${port}/`,
  headers: {},
  body: '{}',
  timeoutMs: 2_000,
  maxAnswerBytes: 100,
});

const outcomeOf = (poster: GuardedPoster, host: string) =>
  poster.post(request(host)).then(
    ({ status }) => status,
    (error: unknown) => (error instanceof PostError ? error.code : error),
  );

describe('an address inside', () => {
  test(`is reached in none of ${loopbackForms.length + insideForms.length} forms`, async () => {
    const poster = posterWith(nothingAllowed);
    const before = connections;
    for (const host of [...loopbackForms, ...insideForms]) {
      // A name of which only the network knows what it is leads nowhere, or is refused.
      expect(await outcomeOf(poster, host), host).toMatch(/^(private-address|host-not-found)$/);
    }
    for (const host of ['127.0.0.1', '[::1]', 'localhost'])
      await expect(poster.post(request(host, 'https')), host).rejects.toThrow(PostError);
    expect(connections).toBe(before);
  });

  test('negative control: the same forms are real ones; allowed, they reach the sink', async () => {
    const poster = posterWith(everything);
    const before = connections;
    const outcomes = new Map<string, unknown>();
    for (const host of loopbackForms) outcomes.set(host, await outcomeOf(poster, host));
    const reached = [...outcomes].filter(([, outcome]) => outcome === 204).map(([host]) => host);
    // Those that do not: what the resolver of this machine, or its network, does not know.
    expect(reached.length).toBeGreaterThan(25);
    expect(connections - before).toBe(reached.length);
  });
});

describe('a name', () => {
  test('that leads inside, alone or among others, is refused before any connection', async () => {
    const before = connections;
    for (const found of [
      ['127.0.0.1'],
      ['8.8.8.8', '127.0.0.1'],
      ['::1'],
      ['::ffff:127.0.0.1'],
      ['169.254.169.254'],
    ])
      expect(await outcomeOf(posterWith(nothingAllowed, leadsTo(found).resolve), 'shop.example')).toBe(
        'private-address',
      );
    expect(connections).toBe(before);
  });

  test('that leads elsewhere the second time is checked by what the connection uses: it is asked once', async () => {
    const allow = parseAllowList('127.0.0.2') ?? nothingAllowed;
    const { asked, resolve } = leadsTo(['127.0.0.2'], ['127.0.0.1']);
    const poster = posterWith(allow, resolve);
    const before = connections;
    // The first connection goes to what was allowed; there is no second question in it that could have another answer.
    expect(await outcomeOf(poster, 'rebind.example')).toBe(204);
    expect(asked).toHaveLength(1);
    expect(connections).toBe(before + 1);
    // The next connection asks anew, and finds it moved inside.
    expect(await outcomeOf(poster, 'rebind.example')).toBe('private-address');
    expect(asked).toHaveLength(2);
    expect(connections).toBe(before + 1);
  });

  test('that the operator trusts is reached wherever it leads, and no other', async () => {
    const allow = parseAllowList('receiver.internal') ?? nothingAllowed;
    const poster = posterWith(allow, leadsTo(['127.0.0.1']).resolve);
    expect(await outcomeOf(poster, 'receiver.internal')).toBe(204);
    expect(await outcomeOf(poster, 'RECEIVER.internal.')).toBe(204);
    expect(await outcomeOf(poster, 'other.internal')).toBe('private-address');
    expect(await outcomeOf(poster, 'receiver.internal.example')).toBe('private-address');
  });

  test('that there is none of says so', async () => {
    expect(await outcomeOf(posterWith(nothingAllowed), 'nowhere.invalid')).toBe('host-not-found');
  });
});

test('a request is given up when its signal says so, and one that has not begun does not begin', async () => {
  const silent = createServer().listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const controller = new AbortController();
  const poster = posterWith(everything);
  const url = `http://127.0.0.1:${(silent.address() as AddressInfo).port}/`;
  const connected = once(silent, 'connection');
  const posted = poster.post({ ...request('x'), url, signal: controller.signal });
  await connected;
  controller.abort();
  await expect(posted).rejects.toMatchObject({ code: 'stopped' });
  await expect(poster.post({ ...request('x'), url, signal: controller.signal })).rejects.toMatchObject({
    code: 'stopped',
  });
  silent.close();
});

test('a kept connection that the other side closes at the moment of its use is no failure', async () => {
  const requests: number[] = [];
  const forgetful = createServer((socket) => {
    let count = 0;
    socket.on('error', () => {});
    socket.on('data', () => {
      count += 1;
      requests.push(count);
      // The second request of each connection is lost with it.
      if (count === 2) socket.resetAndDestroy();
      else socket.write('HTTP/1.1 204 No Content\r\n\r\n');
    });
  }).listen(0, '127.0.0.1');
  await once(forgetful, 'listening');
  const poster = posterWith(everything);
  const url = `http://127.0.0.1:${(forgetful.address() as AddressInfo).port}/`;
  for (let time = 0; time < 3; time += 1)
    expect((await poster.post({ ...request('x'), url })).status).toBe(204);
  expect(requests.filter((count) => count === 2).length).toBeGreaterThan(0);
  poster.close();
  forgetful.close();
});

test('nor are several of them, however many were kept: the request goes out again on a new one', async () => {
  const held: Socket[] = [];
  const forgetful = createServer((socket) => {
    let count = 0;
    socket.on('error', () => {});
    socket.on('data', () => {
      count += 1;
      if (count === 2) socket.resetAndDestroy();
      else held.push(socket);
      // Two at once, so that both connections are kept.
      if (count === 1 && held.length > 1)
        for (const each of held) each.write('HTTP/1.1 204 No Content\r\n\r\n');
    });
  }).listen(0, '127.0.0.1');
  await once(forgetful, 'listening');
  const poster = posterWith(everything);
  const url = `http://127.0.0.1:${(forgetful.address() as AddressInfo).port}/`;
  const post = () => poster.post({ ...request('x'), url });
  await Promise.all([post(), post()]);
  expect((await post()).status).toBe(204);
  expect(held).toHaveLength(3);
  poster.close();
  forgetful.close();
});

test('what is no HTTP is told as such', async () => {
  const odd = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => socket.end('nonsense\r\n\r\n'));
  }).listen(0, '127.0.0.1');
  await once(odd, 'listening');
  const poster = posterWith(everything);
  const at = (scheme: string) => ({
    ...request('x'),
    url: `${scheme}://127.0.0.1:${(odd.address() as AddressInfo).port}/`,
  });
  await expect(poster.post(at('http'))).rejects.toMatchObject({ code: 'protocol' });
  await expect(poster.post(at('https'))).rejects.toMatchObject({ code: 'tls' });
  odd.close();
});
