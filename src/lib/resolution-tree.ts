import { parsePointer } from './json-pointer.js';
import type { JsonValue } from './json-value.js';

/** What becomes of a place that both sides changed: one side's value, or another one. */
export type Resolution = 'pending' | 'current' | { value: JsonValue };

/** Resolutions by token, so that finding one needs no text of a pointer, which may be long at every place. */
export interface ResolutionTree {
  settled?: { pointer: string; resolution: Resolution };
  below?: Map<string, ResolutionTree>;
}

/** The tree of resolutions by pointer; what is no JSON Pointer is left out. */
export function growResolutions(resolutions: ReadonlyMap<string, Resolution>): ResolutionTree {
  const root: ResolutionTree = {};
  for (const [pointer, resolution] of resolutions) {
    const tokens = parsePointer(pointer);
    if (tokens === null) continue;
    let at = root;
    for (const token of tokens) {
      at.below ??= new Map();
      const next: ResolutionTree = at.below.get(token) ?? {};
      at.below.set(token, next);
      at = next;
    }
    at.settled = { pointer, resolution };
  }
  return root;
}
