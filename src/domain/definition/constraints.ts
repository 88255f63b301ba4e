import { canonicalJson } from '../../lib/canonical-json.js';
import { boundedPointer, parsePointer, readPointer } from '../../lib/json-pointer.js';
import type { JsonObject } from '../../lib/json-value.js';
import type { Definition, Reference } from '../collection.js';
import type { Failure } from '../failure.js';

const maxUniqueLists = 16;
const maxUniquePointers = 8;
const maxReferences = 16;
const maxIndexes = 16;
const collectionName = /^[a-z][a-z0-9_-]{0,62}$/;

/** The values of one `unique` list in one record. */
export interface UniqueValue {
  /** Canonical JSON of the list of pointers: which rule this is. */
  constraint: string;
  /** The first pointer of the list, for the failure. */
  pointer: string;
  /** Canonical JSON of the array of values. */
  value: string;
}

/** One key that a record refers to. */
export interface ReferenceValue {
  /** To the very element. */
  pointer: string;
  /** The pointer of the definition's reference. */
  constraint: string;
  collection: string;
  key: string;
}

type Refuse = (path: (string | number)[], message: string) => void;

/** All that is wrong with the members of a definition beside `schema` and `rules`. */
export function inspectConstraints(definition: Definition): Failure[] {
  const failures: Failure[] = [];
  const refuse: Refuse = (path, message) =>
    failures.push({ pointer: boundedPointer(path), code: 'definition-invalid', message });
  inspectUnique(definition.unique ?? [], refuse);
  inspectReferences(definition.references ?? [], refuse);
  inspectPointers(definition.indexes ?? [], ['indexes'], maxIndexes, refuse);
  const { keepVersions, keepDays, onExpire } = definition.retention ?? {};
  inspectCount(keepVersions, ['retention', 'keepVersions'], 1_000_000, refuse);
  inspectCount(keepDays, ['retention', 'keepDays'], 36_500, refuse);
  if (onExpire !== undefined && onExpire !== 'archive' && onExpire !== 'delete') {
    refuse(['retention', 'onExpire'], 'must be "archive" or "delete"');
  }
  if (definition.approvals)
    inspectCount(definition.approvals.required, ['approvals', 'required'], 100, refuse);
  return failures;
}

function inspectUnique(lists: string[][], refuse: Refuse): void {
  if (lists.length > maxUniqueLists) refuse(['unique'], `must hold at most ${maxUniqueLists} lists`);
  const seen = new Set<string>();
  for (const [index, pointers] of lists.entries()) {
    if (pointers.length === 0) refuse(['unique', index], 'must hold a pointer');
    inspectPointers(pointers, ['unique', index], maxUniquePointers, refuse);
    const name = canonicalJson([...pointers].sort());
    if (seen.has(name)) refuse(['unique', index], 'is there twice');
    seen.add(name);
  }
}

function inspectReferences(references: Reference[], refuse: Refuse): void {
  if (references.length > maxReferences)
    refuse(['references'], `must hold at most ${maxReferences} references`);
  const seen = new Set<string>();
  for (const [index, { pointer, collection, onDelete }] of references.entries()) {
    if (parsePointer(pointer) === null) refuse(['references', index, 'pointer'], 'must be a JSON Pointer');
    if (!collectionName.test(collection)) {
      refuse(['references', index, 'collection'], 'must be the name of a collection');
    }
    if (onDelete !== undefined && onDelete !== 'restrict') {
      refuse(['references', index, 'onDelete'], 'must be "restrict"');
    }
    const name = canonicalJson([pointer, collection]);
    if (seen.has(name)) refuse(['references', index], 'is there twice');
    seen.add(name);
  }
}

function inspectPointers(pointers: string[], path: (string | number)[], most: number, refuse: Refuse): void {
  if (pointers.length > most) refuse(path, `must hold at most ${most} pointers`);
  for (const [index, pointer] of pointers.entries()) {
    if (parsePointer(pointer) === null) refuse([...path, index], 'must be a JSON Pointer, such as /price');
    if (pointers.indexOf(pointer) < index) refuse([...path, index], 'is there twice');
  }
}

function inspectCount(count: number | undefined, path: string[], most: number, refuse: Refuse): void {
  if (count === undefined || (Number.isInteger(count) && count >= 1 && count <= most)) return;
  refuse(path, `must be an integer from 1 to ${most}`);
}

/** Reads the values of all `unique` lists; a list takes no part where one of its values is missing or null. */
export function uniqueReader(lists: string[][]): (data: JsonObject) => UniqueValue[] {
  const rules = lists.map((pointers) => ({
    constraint: canonicalJson(pointers),
    pointer: pointers[0] ?? '',
    paths: pointers.map((pointer) => parsePointer(pointer) ?? []),
  }));
  return (data) =>
    rules.flatMap(({ constraint, pointer, paths }) => {
      const values = paths.map((path) => readPointer(data, path) ?? null);
      return values.includes(null) ? [] : [{ constraint, pointer, value: canonicalJson(values) }];
    });
}

/** Reads all references, and finds the values that cannot be one: neither a string nor an array of strings. */
export function referenceReader(references: Reference[]): {
  read(data: JsonObject): ReferenceValue[];
  judge(data: JsonObject): Failure[];
} {
  const rules = references.map((each) => ({ ...each, path: parsePointer(each.pointer) ?? [] }));
  const valuesOf = (data: JsonObject) =>
    rules.flatMap(({ pointer, collection, path }) => {
      const value = readPointer(data, path) ?? null;
      if (value === null) return [];
      if (!Array.isArray(value)) return [{ pointer, constraint: pointer, collection, key: value }];
      return value.map((key, index) => ({
        pointer: `${pointer}/${index}`,
        constraint: pointer,
        collection,
        key,
      }));
    });
  return {
    read: (data) =>
      valuesOf(data).flatMap(({ key, ...rest }) => (typeof key === 'string' ? [{ ...rest, key }] : [])),
    judge: (data) =>
      valuesOf(data).flatMap(({ key, pointer, collection }) => {
        if (typeof key === 'string') return [];
        const message = `must be the key of a record of ${collection}, or an array of keys`;
        return [{ pointer, code: 'reference-type', message, severity: 'error' as const }];
      }),
  };
}
