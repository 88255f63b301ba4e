import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { countRows, lastOfEach, refuseRows } from '../../src/domain/ingest-report.js';
import {
  decideRow,
  type IngestRow,
  type RowFields,
  type RowStanding,
  readRow,
  sentRows,
} from '../../src/domain/ingest-row.js';
import { jsonEqual } from '../../src/lib/json-object.js';
import type { JsonObject, JsonValue } from '../../src/lib/json-value.js';

const limits = { maxRecordBytes: 1000 };
const fields: RowFields = { keyField: 'id', rowKindField: 'kind' };

function read(value: JsonValue, asked = fields): IngestRow | (string | undefined)[][] {
  const outcome = readRow({ value, row: 3, pointer: '/3' }, asked, limits);
  if ('read' in outcome) return outcome.read;
  return outcome.refused.flatMap(({ options }) =>
    (options.errors ?? []).map(({ pointer, code, row }) => [`${row}`, code, pointer]),
  );
}

const kinds = {
  '+I': 'upsert',
  '+U': 'upsert',
  INSERT: 'upsert',
  UPDATE_AFTER: 'upsert',
  '-U': 'skip',
  UPDATE_BEFORE: 'skip',
  '-D': 'delete',
  DELETE: 'delete',
} as const;

const members = fc.dictionary(
  fc.string({ maxLength: 5 }).filter((name) => !['id', 'kind', '__proto__', 'constructor'].includes(name)),
  fc.oneof(fc.string({ maxLength: 5 }), fc.integer(), fc.boolean(), fc.constant(null)),
  { maxKeys: 5 },
) as fc.Arbitrary<JsonObject>;
const key = fc.oneof(
  fc.stringMatching(/^[a-zäß☃ /%]{1,20}$/),
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.boolean(),
);
const kind = fc.constantFrom(...(Object.keys(kinds) as (keyof typeof kinds)[]));
const isStorable = (data: JsonObject) => !/\\u0000|\\ud[89a-f]/i.test(JSON.stringify(data));

describe('readRow', () => {
  test('takes a row and its text alike: the key as text, the kind out of the data, the rest as it is', () => {
    fc.assert(
      fc.property(members.filter(isStorable), key, fc.option(kind), (rest, id, named) => {
        const row = { ...rest, id, ...(named === null ? {} : { kind: named }) };
        const found = read(row);
        expect(read(JSON.stringify(row))).toEqual(found);
        const action = named === null ? 'upsert' : kinds[named];
        expect(found).toMatchObject({
          row: 3,
          pointer: '/3',
          action,
          key: typeof id === 'string' ? id : `${JSON.parse(JSON.stringify(id))}`,
        });
        if ('action' in found && found.action === 'upsert') {
          expect(jsonEqual(JSON.parse(found.content.content), { ...rest, id })).toBe(true);
        }
      }),
    );
  });

  test('without a field for it, the kind is data like any other', () => {
    expect(read({ id: 'a', kind: '-D' }, { keyField: 'id' })).toMatchObject({
      action: 'upsert',
      content: { data: { id: 'a', kind: '-D' } },
    });
  });

  test('never throws, and names the row in all that is wrong with it', () => {
    fc.assert(
      fc.property(fc.oneof(fc.jsonValue() as fc.Arbitrary<JsonValue>, fc.json()), (value) => {
        const found = read(value);
        if (!Array.isArray(found)) return;
        expect(found.length).toBeGreaterThan(0);
        for (const [row, , pointer] of found) expect([row, pointer?.startsWith('/3')]).toEqual(['3', true]);
      }),
    );
  });

  test('the key is a member of the row itself', () => {
    for (const keyField of ['toString', 'constructor', '__proto__', 'hasOwnProperty']) {
      expect(read({ id: 'a' }, { keyField })).toEqual([['3', 'required', `/3/${keyField}`]]);
      expect(read({ id: 'a' }, { keyField: 'id', rowKindField: keyField })).toMatchObject({
        action: 'upsert',
      });
    }
  });

  test('a kind that is the name of something else is unknown', () => {
    for (const kind of ['toString', '', '+i', ' +I', 1, null, {}, ['+I']]) {
      expect(read({ id: 'a', kind })).toEqual([['3', 'choice', '/3/kind']]);
    }
  });

  test('all that is wrong is told at once, by names that have to be escaped too', () => {
    const row = { 'a/b': {}, '~': '?', text: `${'x'.repeat(2000)}` };
    expect(read(row, { keyField: 'a/b', rowKindField: '~' })).toEqual([
      ['3', 'type', '/3/a~1b'],
      ['3', 'choice', '/3/~0'],
      ['3', 'record-too-large', '/3'],
    ]);
  });

  test('of a deletion only the key is looked at', () => {
    expect(read({ id: 'a', kind: '-D', text: 'x'.repeat(2000) })).toMatchObject({
      action: 'delete',
      key: 'a',
    });
  });

  test('a number is one key however it is written', () => {
    for (const text of ['1', '1.0', '10e-1', '0.1e1']) {
      expect(read(`{"id":${text}}`)).toMatchObject({ key: '1' });
    }
    expect(read('{"id":-0}')).toMatchObject({ key: '0' });
  });
});

test('each row has its place', () => {
  expect(sentRows([{}, 'x'])).toEqual([
    { value: {}, row: 0, pointer: '/0' },
    { value: 'x', row: 1, pointer: '/1' },
  ]);
  expect(sentRows({ id: 1 })).toEqual([{ value: { id: 1 }, row: 0, pointer: '' }]);
});

describe('decideRow', () => {
  const digest = fc.constantFrom(null, 'one', 'two', 'three');
  const standing: fc.Arbitrary<RowStanding> = fc.record({
    currentDigest: digest,
    pending: fc.option(
      digest.map((held) => ({
        operation: held === null ? ('delete' as const) : ('upsert' as const),
        digest: held,
      })),
    ),
  });
  const standAfter = (wanted: string | null, { currentDigest, pending }: RowStanding): RowStanding => {
    const decision = decideRow(wanted, { currentDigest, pending });
    if (decision === 'unchanged') return { currentDigest, pending };
    const operation = wanted === null ? 'delete' : 'upsert';
    return { currentDigest, pending: decision === 'discard' ? null : { operation, digest: wanted } };
  };

  test('leaves the same pending, whatever was pending before', () => {
    fc.assert(
      fc.property(digest, standing, (wanted, before) => {
        const { pending } = standAfter(wanted, before);
        expect(pending).toEqual(standAfter(wanted, { ...before, pending: null }).pending);
        expect(pending === null ? before.currentDigest : pending.digest).toBe(wanted);
      }),
    );
  });

  test('changes nothing when it is repeated, and nothing is called unchanged that is not', () => {
    fc.assert(
      fc.property(digest, standing, (wanted, before) => {
        const once = standAfter(wanted, before);
        expect(decideRow(wanted, once)).toBe('unchanged');
        expect(decideRow(wanted, before) === 'unchanged').toBe(jsonEqual(once as never, before as never));
      }),
    );
  });
});

describe('reports', () => {
  const rows = fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c'), kind), { maxLength: 12 }).map((drawn) =>
    drawn.map(([id, named], row) => {
      const outcome = readRow(
        { value: { id, n: row, kind: named }, row, pointer: `/${row}` },
        fields,
        limits,
      );
      if ('refused' in outcome) throw new Error('a good row was refused');
      return outcome.read;
    }),
  );

  test('the last row of each record that is not skipped counts, in the order of the records', () => {
    fc.assert(
      fc.property(rows, (read) => {
        const wanted = lastOfEach(read);
        const kept = read.filter(({ action }) => action !== 'skip');
        expect(new Set(wanted.map((row) => row.key))).toEqual(new Set(kept.map((row) => row.key)));
        for (const row of wanted) expect(row).toBe(kept.findLast((other) => other.key === row.key));
      }),
    );
  });

  test('every row is counted once', () => {
    fc.assert(
      fc.property(rows, fc.subarray(['a', 'b', 'c']), (read, changed) => {
        const { staged, unchanged, skipped } = countRows(read, (name) => changed.includes(name));
        expect(staged + unchanged + skipped).toBe(read.length);
        expect(skipped).toBe(read.filter(({ action }) => action === 'skip').length);
      }),
    );
  });

  test('a refusal lists a thousand failures in the order of the rows, and counts all rows', () => {
    const refused = Array.from({ length: 1500 }, (_, row) => {
      const outcome = readRow({ value: row === 1400 ? '{' : {}, row, pointer: `/${row}` }, fields, limits);
      return 'refused' in outcome ? outcome.refused : [];
    });
    const refusal = refuseRows(refused, 2000);
    expect(refusal.code).toBe('malformed-json');
    expect(refusal.options.extensions).toEqual({ staged: 0, unchanged: 0, skipped: 0, failed: 1500 });
    expect(refusal.options.errors?.map(({ row }) => row)).toEqual(
      Array.from({ length: 1000 }, (_, row) => row),
    );
  });
});
