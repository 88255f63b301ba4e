import { jsonEqual, setMember } from './json-object.js';
import { parseIndex, parsePointer, readPointer } from './json-pointer.js';
import type { JsonObject, JsonValue } from './json-value.js';

/** One operation of a JSON Patch (RFC 6902, section 4). */
export type JsonPatchOperation =
  | { op: 'add' | 'replace' | 'test'; path: string; value: JsonValue }
  | { op: 'remove'; path: string }
  | { op: 'move' | 'copy'; from: string; path: string };

export type JsonPatchResult =
  | { document: JsonValue }
  /** `test`: a test operation did not hold. `impossible`: the operation at `index` cannot be carried out. */
  | { failed: 'test' | 'impossible'; index: number; message: string };

/** Array elements shifted by all operations of one patch together: about 0.1 s of work. */
const maxWork = 50_000_000;
const maxCopyDepth = 1_000;

/**
 * Applies a JSON Patch (RFC 6902): all operations, or none. The arguments are never changed; the result
 * shares what did not change with them. `maxBytes` bounds what all `copy` operations together add, because
 * doubling a document thirty times fits into a short patch.
 */
export function applyJsonPatch(
  document: JsonValue,
  operations: readonly JsonPatchOperation[],
  options: { maxBytes: number },
): JsonPatchResult {
  const run: PatchRun = {
    holder: { root: document },
    owned: new WeakSet(),
    copyBytesLeft: options.maxBytes,
    workLeft: maxWork,
  };
  run.owned.add(run.holder);
  for (const [index, operation] of operations.entries()) {
    try {
      applyOperation(run, operation);
    } catch (error) {
      if (!(error instanceof PatchError)) throw error;
      return { failed: error.failed, index, message: error.message };
    }
  }
  return { document: run.holder.root as JsonValue };
}

interface PatchRun {
  /** The document as a member of an object, so that the root is replaced like anything else. */
  holder: JsonObject;
  /** Containers made by this run, which it may change; all others are cloned when they are first written. */
  owned: WeakSet<object>;
  copyBytesLeft: number;
  workLeft: number;
}

class PatchError extends Error {
  constructor(
    readonly failed: 'test' | 'impossible',
    message: string,
  ) {
    super(message);
  }
}

function applyOperation(run: PatchRun, operation: JsonPatchOperation): void {
  const path = tokensOf(operation.path);
  switch (operation.op) {
    case 'add':
      addAt(run, path, requiredValue(operation));
      break;
    case 'remove':
      removeAt(run, path);
      break;
    case 'replace':
      replaceAt(run, path, requiredValue(operation));
      break;
    case 'test':
      testAt(run, path, requiredValue(operation), operation.path);
      break;
    case 'copy':
      addAt(run, path, copyOf(run, existing(run, tokensOf(operation.from), operation.from), 0));
      break;
    case 'move':
      moveTo(run, path, operation);
      break;
    default:
      throw impossible('"op" must be add, remove, replace, move, copy or test');
  }
}

function moveTo(run: PatchRun, path: string[], operation: { from: string; path: string }): void {
  const from = tokensOf(operation.from);
  const value = existing(run, from, operation.from);
  if (operation.from === operation.path) return;
  if (from.every((token, index) => path[index] === token)) {
    throw impossible('a value cannot move into itself');
  }
  removeAt(run, from);
  addAt(run, path, value);
}

function impossible(message: string): PatchError {
  return new PatchError('impossible', message);
}

function tokensOf(pointer: string): string[] {
  const tokens = typeof pointer === 'string' ? parsePointer(pointer) : null;
  if (tokens === null) throw impossible('"path" and "from" must be JSON Pointers');
  const forbidden = tokens.some(
    (token, index) => token === '__proto__' || (token === 'prototype' && tokens[index - 1] === 'constructor'),
  );
  if (forbidden) throw impossible('members named __proto__ or constructor.prototype are refused');
  return ['root', ...tokens];
}

function requiredValue(operation: { value?: JsonValue }): JsonValue {
  if (operation.value === undefined) throw impossible('"value" is missing');
  return operation.value;
}

function existing(run: PatchRun, tokens: string[], pointer: string): JsonValue {
  const value = readPointer(run.holder, tokens);
  if (value === undefined) throw impossible(`there is no value at ${shown(pointer)}`);
  return value;
}

function testAt(run: PatchRun, path: string[], expected: JsonValue, pointer: string): void {
  const found = readPointer(run.holder, path);
  const equal = found !== undefined && jsonEqual(expected, found);
  if (!equal) throw new PatchError('test', `the value at ${shown(pointer)} is not the one that was expected`);
}

function addAt(run: PatchRun, path: string[], value: JsonValue): void {
  const { parent, last } = writableParent(run, path);
  if (!Array.isArray(parent)) {
    setMember(parent, last, value);
    return;
  }
  const index = last === '-' ? parent.length : parseIndex(last);
  if (index === null || index > parent.length) throw impossible(`there is no array index ${shown(last)}`);
  spendWork(run, parent.length - index);
  parent.splice(index, 0, value);
}

function replaceAt(run: PatchRun, path: string[], value: JsonValue): void {
  const { parent, last } = writableParent(run, path);
  if (Array.isArray(parent)) parent[existingIndex(parent, last)] = value;
  else setMember(parent, existingMember(parent, last), value);
}

function removeAt(run: PatchRun, path: string[]): void {
  if (path.length === 1) throw impossible('the whole document cannot be removed');
  const { parent, last } = writableParent(run, path);
  if (Array.isArray(parent)) {
    const index = existingIndex(parent, last);
    spendWork(run, parent.length - index);
    parent.splice(index, 1);
  } else {
    delete parent[existingMember(parent, last)];
  }
}

function existingIndex(array: JsonValue[], token: string): number {
  const index = parseIndex(token);
  if (index === null || index >= array.length) throw impossible(`there is no array index ${shown(token)}`);
  return index;
}

function existingMember(object: JsonObject, token: string): string {
  if (!Object.hasOwn(object, token)) throw impossible(`there is no member ${shown(token)}`);
  return token;
}

/** The container that holds the last token, with every container on the way to it made this run's own. */
function writableParent(run: PatchRun, path: string[]): { parent: JsonValue[] | JsonObject; last: string } {
  let parent: JsonValue[] | JsonObject = run.holder;
  for (const token of path.slice(0, -1)) {
    const child: JsonValue | undefined = readPointer(parent, [token]);
    if (typeof child !== 'object' || child === null)
      throw impossible(`there is no container at ${shown(token)}`);
    const own = ownContainer(run, child);
    if (own !== child) {
      if (Array.isArray(parent)) parent[Number(token)] = own;
      else setMember(parent, token, own);
    }
    parent = own;
  }
  return { parent, last: path.at(-1) ?? '' };
}

function ownContainer(run: PatchRun, container: JsonValue[] | JsonObject): JsonValue[] | JsonObject {
  if (run.owned.has(container)) return container;
  const own = Array.isArray(container) ? [...container] : { ...container };
  run.owned.add(own);
  return own;
}

function copyOf(run: PatchRun, value: JsonValue, depth: number): JsonValue {
  if (depth > maxCopyDepth) throw impossible('what is copied is too deep');
  if (typeof value !== 'object' || value === null) {
    spendCopy(run, typeof value === 'string' ? value.length + 2 : 8);
    return value;
  }
  spendCopy(run, 2);
  if (Array.isArray(value)) return value.map((item) => copyOf(run, item, depth + 1));
  const copy: JsonObject = {};
  for (const name of Object.keys(value)) {
    spendCopy(run, name.length + 4);
    setMember(copy, name, copyOf(run, value[name] as JsonValue, depth + 1));
  }
  return copy;
}

function spendCopy(run: PatchRun, bytes: number): void {
  run.copyBytesLeft -= bytes;
  if (run.copyBytesLeft < 0) throw impossible('the copies of this patch are too large together');
}

function spendWork(run: PatchRun, work: number): void {
  run.workLeft -= work;
  if (run.workLeft < 0) throw impossible('this patch is too much work: split it, or send the whole value');
}

function shown(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
}
