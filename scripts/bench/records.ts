import pg from 'pg';

/** The records that are read and written everywhere but in the large store. */
export const COLLECTION = 'products';
export const KEYS = 2_000;
const RECORDS_PER_COMMIT = 500;
export const PRICES = 97;
const PADDING = 'x'.repeat(400);

export const definition = {
  schema: {
    type: 'object',
    required: ['name', 'price'],
    properties: { name: { type: 'string' }, price: { type: 'number', minimum: 0 } },
  },
  indexes: ['/price'],
};

export const keyOf = (index: number): string => `product-${String(index).padStart(6, '0')}`;
export const priceOf = (index: number): number => index % PRICES;
export const nameOf = (key: string): string => `Product ${key}`;

/** About 450 bytes, of which `edit` tells one version from another. */
export function dataOf(key: string, edit: number) {
  return {
    name: nameOf(key),
    price: priceOf(Number(key.slice(-6))),
    edit,
    description: PADDING,
  };
}

let edits = 0;

/** The body of a commit that gives a record something new. */
export function bodyOfCommit(collection: string, key: string): string {
  edits += 1;
  return JSON.stringify({ changes: [{ collection, key, operation: 'put', data: dataOf(key, edits) }] });
}

/** Whether a record that was read holds what was written under its key. */
export function isRecord(body: string): boolean {
  const { key, data } = JSON.parse(body) as { key: string; data: { name: string } };
  return data.name === nameOf(key);
}

/** One call of the API. @throws Error when the answer is no success. */
export async function call<Body>(url: string, method: string, path: string, body?: unknown): Promise<Body> {
  const isText = typeof body === 'string';
  const response = await fetch(url + path, {
    method,
    ...(body === undefined
      ? {}
      : {
          headers: { 'Content-Type': isText ? 'application/x-ndjson' : 'application/json' },
          body: isText ? body : JSON.stringify(body),
        }),
  });
  const text = await response.text();
  if (!response.ok) {
    throw new Error(`${method} ${path} gave ${response.status}: ${text.slice(0, 500)}`);
  }
  return (text === '' ? null : JSON.parse(text)) as Body;
}

/** Makes a collection with all the keys. */
export async function seed(url: string, collection = COLLECTION): Promise<void> {
  await call(url, 'PUT', `/v1/collections/${collection}`, definition);
  for (let first = 0; first < KEYS; first += RECORDS_PER_COMMIT) {
    const keys = Array.from({ length: RECORDS_PER_COMMIT }, (_, index) => keyOf(first + index));
    const changes = keys.map((key) => ({ collection, key, operation: 'put', data: dataOf(key, 0) }));
    await call(url, 'POST', '/v1/commits', { changes });
  }
}

/** Runs `work` on a connection of its own. */
export async function withClient<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
