import { createHash } from 'node:crypto';

/** The whole content of a list: what each key holds. */
export type State<Data = unknown> = ReadonlyMap<string, Data>;

export interface Difference {
  added: string[];
  removed: string[];
  changed: string[];
}

/** What must change for `before` to become `after`. */
export function differenceOf(before: State, after: State): Difference {
  const added = [...after.keys()].filter((key) => !before.has(key));
  const removed = [...before.keys()].filter((key) => !after.has(key));
  const changed = [...after].flatMap(([key, data]) => {
    return before.has(key) && canonical(before.get(key)) !== canonical(data) ? [key] : [];
  });
  return { added, removed, changed };
}

/** The digest of one record: its key and every character of what it holds. */
export function fingerprintOf(key: string, data: unknown): string {
  return createHash('sha256')
    .update(`${JSON.stringify(key)}:${canonical(data)}`)
    .digest('base64');
}

/**
 * One digest for a whole list, from those of its records. An entry that is there twice counts; the order does
 * not. Written apart from the service's own digests, so that it can judge them.
 */
export function digestOfAll(fingerprints: Iterable<string>): string {
  return createHash('sha256')
    .update([...fingerprints].sort().join('\n'))
    .digest('hex');
}

export function digestOf(entries: Iterable<readonly [string, unknown]>): string {
  return digestOfAll(Array.from(entries, ([key, data]) => fingerprintOf(key, data)));
}

/** Equal JSON as equal text: the members of every object sorted by name. */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) {
    return `[${value.map(canonical).join(',')}]`;
  }
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${canonical(member)}`).join(',')}}`;
  }
  return JSON.stringify(value);
}
