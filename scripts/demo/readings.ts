import type { Api } from './client.js';
import { digestOfAll, fingerprintOf } from './content.js';
import type { readPages, Snapshot } from './reader.js';

/** What is kept of a list that is too large to keep: the key and the digest of each record, as they came. */
export interface Reading {
  revision: number;
  records: (readonly [key: string, fingerprint: string])[];
}

/** Reads a whole list as one stream of lines. `query` is e.g. `revision=7`. */
export async function readLines(api: Api, collection: string, query = ''): Promise<Reading> {
  const path = `/v1/collections/${collection}/records`;
  const { revision, lines } = await api.receive(query === '' ? path : `${path}?${query}`);
  const records: Reading['records'] = [];
  for await (const line of lines) {
    // An export has no deletions; were there one, its digest would betray it.
    records.push([line.key, fingerprintOf(line.key, line.operation === 'put' ? line.data : null)]);
  }
  return { revision, records };
}

/** Reads a whole list page by page, or what is left of it. */
export async function readByPages(pages: ReturnType<typeof readPages>, start?: Reading): Promise<Reading> {
  const revisions = new Set(start === undefined ? [] : [start.revision]);
  const records = [...(start?.records ?? [])];
  for await (const { revision, items } of pages) {
    revisions.add(revision);
    records.push(...items.map(({ key, data }) => [key, fingerprintOf(key, data)] as const));
  }
  const [revision] = revisions;
  if (revision === undefined || revisions.size > 1) {
    throw new Error(`The pages of one cursor chain showed the revisions ${[...revisions].join(', ')}`);
  }
  return { revision, records };
}

/** Reads the first `count` pages and leaves the others for later. */
export async function readFirst(pages: ReturnType<typeof readPages>, count: number): Promise<Reading> {
  return readByPages(take(pages, count));
}

/** Not a `for await`, whose end would end `pages` as well. */
async function* take(pages: ReturnType<typeof readPages>, count: number): ReturnType<typeof readPages> {
  for (let taken = 0; taken < count; taken += 1) {
    const page = await pages.next();
    if (page.done === true) {
      return;
    }
    yield page.value;
  }
}

export function summaryOf({ revision, records }: Reading): Snapshot {
  const digest = digestOfAll(records.map(([, fingerprint]) => fingerprint));
  return { revision, digest, size: records.length };
}
