import { isJsonObject } from './json-object.js';
import type { JsonValue } from './json-value.js';

/** The items of an array by the text of the member that tells them apart, in their order. */
export type KeyedItems = Map<string, JsonValue>;

/** Null unless all items are objects whose member `name` is a string, a number or a boolean, each another. */
export function keyItems(array: JsonValue[], name: string): KeyedItems | null {
  const items: KeyedItems = new Map();
  for (const item of array) {
    if (!isJsonObject(item) || !Object.hasOwn(item, name)) return null;
    const key = item[name];
    if (typeof key !== 'string' && typeof key !== 'number' && typeof key !== 'boolean') return null;
    items.set(String(key), item);
  }
  return items.size === array.length ? items : null;
}

/** Whether the items that both have stand in the same order. */
export function sameOrder(a: KeyedItems, b: KeyedItems): boolean {
  const inB = [...b.keys()].filter((key) => a.has(key));
  const inA = [...a.keys()].filter((key) => b.has(key));
  return inA.every((key, index) => key === inB[index]);
}

/** The items in the order of `first`; what is not there, after the one that it follows in `second`. */
export function orderItems(items: KeyedItems, first: KeyedItems, second: KeyedItems): JsonValue[] {
  const start: string[] = [];
  const followers = new Map<string, string[]>();
  let group = start;
  for (const key of second.keys()) {
    if (first.has(key)) {
      group = [];
      followers.set(key, group);
    } else {
      group.push(key);
    }
  }
  const order = [...start];
  for (const key of first.keys()) {
    order.push(key);
    for (const follower of followers.get(key) ?? []) order.push(follower);
  }
  return order.flatMap((key) => {
    const item = items.get(key);
    return item === undefined ? [] : [item];
  });
}
