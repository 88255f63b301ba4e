import type { JsonValue } from '../../lib/json-value.js';

/** How large a value may be: what the cost of working on it is reckoned from. */
export interface Extent {
  /** Values within it, with itself, and 16 characters of text each. */
  size: number;
  /** Items of the longest list or object within it. */
  length: number;
  /** `size` of the largest item of any list or object within it. */
  item: number;
  /** Characters of the longest string within it. */
  text: number;
}

/** Working on text is that much faster than on values. */
export const charactersPerUnit = 16;

/** A number, a boolean, null. */
export const scalar: Extent = { size: 1, length: 0, item: 1, text: 0 };

export const ofText = (characters: number): Extent => ({
  size: 1 + characters / charactersPerUnit,
  length: 0,
  item: 1,
  text: characters,
});

const measured = new WeakMap<object, Extent>();

/** Measures a value; once for each object. Without recursion, so that its depth does not matter. */
export function measure(value: JsonValue): Extent {
  if (typeof value === 'string') return ofText(value.length);
  if (typeof value !== 'object' || value === null) return scalar;
  const known = measured.get(value);
  if (known) return known;
  const extent = measureTree(value);
  measured.set(value, extent);
  return extent;
}

function measureTree(root: object): Extent {
  const order: JsonValue[] = [root as JsonValue];
  const parents: number[] = [0];
  const sizes: number[] = [];
  const extent: Extent = { ...scalar };
  for (let at = 0; at < order.length; at += 1) {
    const value = order[at] ?? null;
    if (typeof value === 'string') extent.text = Math.max(extent.text, value.length);
    sizes[at] = typeof value === 'string' ? ofText(value.length).size : 1;
    if (typeof value !== 'object' || value === null) continue;
    const items = Array.isArray(value) ? value : Object.entries(value).flat();
    extent.length = Math.max(extent.length, items.length);
    for (const item of items) {
      order.push(item);
      parents.push(at);
    }
  }
  // From the last to the first, so that each is whole before it is added to what holds it.
  for (let at = order.length - 1; at > 0; at -= 1) {
    const size = sizes[at] ?? 0;
    const parent = parents[at] ?? 0;
    extent.item = Math.max(extent.item, size);
    sizes[parent] = (sizes[parent] ?? 0) + size;
  }
  return { ...extent, size: sizes[0] ?? 1 };
}

/** A value made of these: as large as all together. */
export function joined(extents: Extent[]): Extent {
  const sum = (read: (extent: Extent) => number) =>
    extents.reduce((total, extent) => total + read(extent), 0);
  return {
    size: sum((extent) => extent.size),
    length: sum((extent) => extent.length),
    item: Math.max(1, ...extents.map((extent) => extent.item)),
    text: sum((extent) => extent.text),
  };
}

/** The list that a text makes when it is split: of all its characters, at the worst. */
export function within(extent: Extent): Extent {
  return { ...extent, size: extent.size + 2 * extent.text, length: extent.length + extent.text };
}
