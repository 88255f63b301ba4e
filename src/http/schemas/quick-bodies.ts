import { isJsonObject } from '../../lib/json-object.js';
import type { JsonObject, JsonValue } from '../../lib/json-value.js';
import { CHANGES_MAX, isPlainKey, isPlainName, MESSAGE_MAX_CHARACTERS, VERSION_MAX } from './primitives.js';

// The short ways (see `quickly`) for the bodies that come all the time. An object that has as many members as are
// looked at here has no others.

/** A commit that puts whole records. */
export function readPuts(body: unknown): JsonObject | undefined {
  if (!isJsonObject(body)) return undefined;
  const { changes, message } = body;
  const isQuick =
    Object.keys(body).length === (message === undefined ? 1 : 2) &&
    (message === undefined || isMessage(message)) &&
    Array.isArray(changes) &&
    changes.length > 0 &&
    changes.length <= CHANGES_MAX &&
    changes.every(isPut);
  return isQuick ? { dryRun: false, ...body } : undefined;
}

function isPut(change: JsonValue): boolean {
  return (
    isJsonObject(change) &&
    change.operation === 'put' &&
    isPlainName(change.collection) &&
    isPlainKey(change.key) &&
    isJsonObject(change.data) &&
    Object.keys(change).length === (change.ifVersion === undefined ? 4 : 5) &&
    (change.ifVersion === undefined || isVersion(change.ifVersion))
  );
}

/** A pending version that is nothing but its data. */
export function readData(body: unknown): JsonObject | undefined {
  const isQuick = isJsonObject(body) && Object.keys(body).length === 1 && isJsonObject(body.data);
  return isQuick ? { operation: 'upsert', data: body.data as JsonObject } : undefined;
}

/** A commit of a pending version by its receipt alone. */
export function readReceipt(body: unknown): JsonObject | undefined {
  const isQuick = isJsonObject(body) && Object.keys(body).length === 1;
  return isQuick && typeof body.receipt === 'string' && body.receipt !== '' ? body : undefined;
}

const isMessage = (value: JsonValue) => typeof value === 'string' && value.length <= MESSAGE_MAX_CHARACTERS;

const isVersion = (value: JsonValue) =>
  Number.isInteger(value) && Number(value) >= 0 && Number(value) <= VERSION_MAX;
