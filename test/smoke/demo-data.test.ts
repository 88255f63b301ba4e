import { describe, expect, test } from 'vitest';
import { definition } from '../../scripts/demo/browser-compat/definition.js';
import { loadReleases } from '../../scripts/demo/browser-compat/features.js';
import { differenceOf, digestOf } from '../../scripts/demo/content.js';
import { bodyOf, type Line, linesOf } from '../../scripts/demo/ndjson.js';
import { compileDefinition } from '../../src/domain/definition/compile.js';
import type { JsonObject } from '../../src/lib/json-value.js';
import { isFull } from '../support/size.js';

describe('the browser compatibility data of the demo', () => {
  test('the two releases are the ones that the story tells of', () => {
    const [before, after] = loadReleases(null);
    expect([before.name, before.features.size]).toEqual(['7.0.0', 17_783]);
    expect([after.name, after.features.size]).toEqual(['8.1.9', 20_968]);
    const { added, removed, changed } = differenceOf(before.features, after.features);
    expect([added.length, removed.length, changed.length]).toEqual([3_363, 178, 9_754]);
  });

  test('a feature is what its path holds, without the features below it', () => {
    const [before] = loadReleases('api');
    const feature = before.features.get('api.AbortController.abort');
    expect(feature?.source_file).toBe('api/AbortController.json');
    expect(feature).not.toHaveProperty('reason_parameter');
    expect(before.features.has('api.AbortController.abort.reason_parameter')).toBe(true);
  });

  test('a part is one area of the web, and another is refused by naming those that there are', () => {
    const [before, after] = loadReleases('http');
    expect([before.features.size, after.features.size]).toEqual([362, 421]);
    expect([...after.features.keys()].every((key) => key.startsWith('http.'))).toBe(true);
    expect(() => loadReleases('browsers')).toThrow('api, css, html, http');
  });

  test('every feature is what the definition of its collection demands', () => {
    const { judge } = compileDefinition(JSON.parse(JSON.stringify(definition)));
    for (const { features } of loadReleases(isFull ? null : 'http')) {
      for (const [key, feature] of features) {
        const data = feature as unknown as JsonObject;
        const { errors } = judge({ key, operation: 'create', current: null, data });
        expect({ key, errors }).toEqual({ key, errors: [] });
      }
    }
  });
});

describe('a list as lines', () => {
  const lines: Line[] = [
    { collection: 'c', key: 'a', operation: 'put', data: { text: 'ü € 😀', list: [1, { b: null }] } },
    { collection: 'c', key: 'b', operation: 'delete' },
  ];

  test('comes back as it was, wherever the chunks of the connection end', async () => {
    const bytes = Buffer.concat(await all(bodyOf(lines)));
    for (let length = 1; length <= bytes.length; length += 1) {
      expect(await all(linesOf(chunked(bytes, length)))).toEqual(lines);
    }
  });

  test('is refused when its last line is cut off', async () => {
    const bytes = Buffer.concat(await all(bodyOf(lines)));
    await expect(all(linesOf(chunked(bytes.subarray(0, -1), 16)))).rejects.toThrow('no end');
  });

  test('is written only as fast as it is taken away', async () => {
    let written = 0;
    const endless = (function* (): Generator<Line> {
      for (;;) {
        written += 1;
        yield { collection: 'c', key: String(written), operation: 'put', data: { text: 'x'.repeat(1_000) } };
      }
    })();
    const reader = bodyOf(endless).getReader();
    await reader.read();
    await reader.cancel();
    expect(written).toBeLessThan(500);
    expect(endless.next().done).toBe(true);
  });
});

describe('the digest of a list', () => {
  test('counts every character at every depth, and neither the order of records nor of members', () => {
    const one = digestOf([
      ['a', { x: { y: [1, 2], z: 'é' } }],
      ['b', {}],
    ]);
    expect(
      digestOf([
        ['b', {}],
        ['a', { x: { z: 'é', y: [1, 2] } }],
      ]),
    ).toBe(one);
    expect(
      digestOf([
        ['a', { x: { y: [2, 1], z: 'é' } }],
        ['b', {}],
      ]),
    ).not.toBe(one);
    expect(
      digestOf([
        ['a', { x: { y: [1, 2], z: 'e' } }],
        ['b', {}],
      ]),
    ).not.toBe(one);
  });
});

async function all<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const list: Item[] = [];
  for await (const item of items) {
    list.push(item);
  }
  return list;
}

async function* chunked(bytes: Uint8Array, length: number): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += length) {
    yield bytes.subarray(start, start + length);
  }
}
