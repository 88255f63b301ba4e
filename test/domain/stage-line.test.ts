import { describe, expect, test } from 'vitest';
import { toContent } from '../../src/domain/stage.js';
import {
  decideLine,
  type LineEdit,
  prepareLine,
  type Sight,
  type StagedLine,
  type Standing,
} from '../../src/domain/stage-line.js';
import type { JsonObject } from '../../src/lib/json-value.js';
import { thrownBy } from '../support/thrown.js';

const limits = { maxRecordBytes: 1000 };
const at = { collection: 'c', key: 'k' };
const digestOf = (data: JsonObject) => toContent(data, { ...limits, pointer: '' }).digest;
const line = (edit: object): LineEdit => prepareLine({ ...at, ...edit } as StagedLine, limits);
const put = (data: JsonObject, message?: string | null) => line({ operation: 'put', data, message });
const remove = line({ operation: 'delete' });
const merge = (patch: JsonObject, message?: string) => line({ operation: 'merge', patch, message });

const one = { n: 1 };
const two = { n: 2 };
const absent: Standing = { currentDigest: null, pending: null };
const live: Standing = { currentDigest: digestOf(one), pending: null };
const upsert = (data: JsonObject, message: string | null = null) =>
  ({ operation: 'upsert', digest: digestOf(data), message }) as const;
const changed: Standing = { ...live, pending: upsert(two) };
const created: Standing = { ...absent, pending: upsert(two) };
const deleted: Standing = { ...live, pending: { operation: 'delete', digest: null, message: null } };

function decide(edit: LineEdit, standing: Standing, sight: Sight = 'unsaid', base?: JsonObject) {
  const decided = decideLine(edit, standing, { base, sight, ...limits });
  return decided && [decided.content && JSON.parse(decided.content.content), decided.message];
}

describe('what is so already is no edit', () => {
  test.each<[string, LineEdit, Standing]>([
    ['a put of what is current', put(one), live],
    ['a put of what is current, with a message', put(one, 'why'), live],
    ['a put of what is pending', put(two), changed],
    ['a put of what is pending, with its message', put(two, 'why'), { ...live, pending: upsert(two, 'why') }],
    ['a put of what is pending, without its message', put(two), { ...live, pending: upsert(two, 'why') }],
    ['a deletion of what the changeset deletes', remove, deleted],
    ['a deletion of what is gone meanwhile', remove, { ...deleted, currentDigest: null }],
  ])('%s', (_, edit, standing) => {
    expect(decide(edit, standing)).toBeNull();
  });

  test('a merge that changes nothing', () => {
    expect(decide(merge({ n: 1 }), live, 'unsaid', one)).toBeNull();
    expect(decide(merge({}), changed, 'unsaid', two)).toBeNull();
  });
});

describe('what is new needs nothing', () => {
  test.each<[string, LineEdit, Standing, unknown[]]>([
    ['a put of a new record', put(one, 'why'), absent, [one, 'why']],
    ['a put over what is current', put(two), live, [two, null]],
    ['a deletion of what is current', remove, live, [null, null]],
  ])('%s', (_, edit, standing, expected) => {
    expect(decide(edit, standing)).toEqual(expected);
  });

  test('a merge starts from what is current, and adds to what is pending', () => {
    expect(decide(merge({ m: 1 }), live, 'unsaid', one)).toEqual([{ n: 1, m: 1 }, null]);
    const noted: Standing = { ...live, pending: upsert(two, 'why') };
    expect(decide(merge({ m: 1 }), noted, 'unsaid', two)).toEqual([{ n: 2, m: 1 }, 'why']);
    expect(decide(merge({}, 'because'), noted, 'unsaid', two)).toEqual([two, 'because']);
  });

  test('so does a JSON Patch', () => {
    const patch = line({ operation: 'patch', patch: [{ op: 'replace', path: '/n', value: 3 }] });
    expect(decide(patch, changed, 'unsaid', two)).toEqual([{ n: 3 }, null]);
  });
});

describe('what replaces a pending version', () => {
  test.each<[string, LineEdit, Standing, unknown[]]>([
    ['a put over another put', put({ n: 3 }), changed, [{ n: 3 }, null]],
    ['a put of what is current over a change', put(one), changed, [one, null]],
    ['a put over a deletion', put(one), deleted, [one, null]],
    ['a deletion over a change', remove, changed, [null, null]],
    ['another message', put(two, 'why'), changed, [two, 'why']],
  ])('%s has to have been seen', (_, edit, standing, expected) => {
    expect(thrownBy(() => decide(edit, standing))).toMatchObject({ code: 'precondition-required' });
    expect(thrownBy(() => decide(edit, standing, 'outdated'))).toMatchObject({ code: 'precondition-failed' });
    expect(decide(edit, standing, 'seen')).toEqual(expected);
  });
});

describe('what there is not', () => {
  test.each<[string, LineEdit, Standing]>([
    ['a deletion of no record', remove, absent],
    ['a deletion of what only the changeset creates', remove, created],
    ['a merge into no record', merge({ n: 1 }), absent],
    ['a merge into what the changeset deletes', merge({ n: 1 }), deleted],
    ['a JSON Patch of no record', line({ operation: 'patch', patch: [] }), absent],
  ])('%s is refused', (_, edit, standing) => {
    expect(thrownBy(() => decide(edit, standing, 'seen'))).toMatchObject({ code: 'record-not-found' });
  });
});

test('what cannot be stored is refused with its place in the line', () => {
  expect(thrownBy(() => put({ text: 'x'.repeat(1000) }))).toMatchObject({
    code: 'record-too-large',
    options: { errors: [{ pointer: '/data' }] },
  });
  expect(thrownBy(() => decide(merge({ text: 'x'.repeat(1000) }), live, 'unsaid', one))).toMatchObject({
    code: 'record-too-large',
    options: { errors: [{ pointer: '/patch' }] },
  });
  const patch = line({ operation: 'patch', patch: [{ op: 'test', path: '/n', value: 9 }] });
  expect(thrownBy(() => decide(patch, live, 'unsaid', one))).toMatchObject({
    code: 'patch-test-failed',
    options: { errors: [{ pointer: '/patch/0' }] },
  });
});
