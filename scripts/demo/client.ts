import { randomUUID } from 'node:crypto';
import { bodyOf, type Line, linesOf } from './ndjson.js';

// What the demo uses of the wire format; `openapi/openapi.json` has all of it.

export interface LiveRecord<Data = unknown> {
  key: string;
  version: number;
  revision: number;
  data: Data;
}

export interface RecordPage<Data = unknown> {
  items: LiveRecord<Data>[];
  next: string | null;
  revision: number;
}

export interface Committed {
  revision: number;
  kind: string;
  changeCount: number;
  changes: {
    key: string;
    operation: 'create' | 'update' | 'delete';
    before: number | null;
    after: number | null;
  }[];
  unchanged: boolean;
}

export interface Report {
  valid: boolean;
  errors: Failure[];
  warnings: Failure[];
  receipt: string | null;
}

export interface Changeset {
  id: string;
  state: string;
}

/** What became of the lines that were sent to a changeset. */
export interface Staged {
  staged: number;
  unchanged: number;
  failed: number;
  errors: unknown[];
}

export interface Failure {
  pointer: string;
  code: string;
  rule?: string;
  message: string;
}

export interface Problem {
  code: string;
  title: string;
  detail: string;
  errors?: Failure[];
}

export interface Diff {
  changes: { pointer: string; before?: unknown; after?: unknown }[];
}

export interface Change<Data = unknown> {
  revision: number;
  operation: 'create' | 'update' | 'delete';
  key: string;
  before: { version: number; data: Data } | null;
  after: { version: number; data: Data } | null;
}

export interface ChangePage<Data = unknown> {
  changes: Change<Data>[];
  next: string;
  head: number;
}

export interface Answer<Body> {
  status: number;
  headers: Headers;
  body: Body;
}

export interface CallOptions {
  body?: unknown;
  headers?: Record<string, string>;
  /** The status that the story expects. Default 200. */
  expect?: number;
}

/** The service answered otherwise than the story expects. */
export class UnexpectedAnswer extends Error {
  override readonly name = 'UnexpectedAnswer';
}

/** The API and nothing else: whatever the demo does, any HTTP client can do. */
export class Api {
  readonly #headers: Record<string, string>;

  constructor(
    readonly baseUrl: string,
    token: string | null,
  ) {
    // Without tokens the service takes the author from this header.
    this.#headers = token === null ? { 'Diptych-Actor': 'demo' } : { Authorization: `Bearer ${token}` };
  }

  /** @throws UnexpectedAnswer when the status is not the one expected. */
  async call<Body>(method: string, path: string, options: CallOptions = {}): Promise<Answer<Body>> {
    const { body, expect = 200 } = options;
    const response = await fetch(this.baseUrl + path, {
      method,
      headers: {
        ...this.#headers,
        ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
        ...options.headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    requireStatus(response, expect, `${method} ${path}`, text);
    return { status: response.status, headers: response.headers, body: parse(text) as Body };
  }

  /** Sends `lines` as they come; the answer comes after the last. @throws UnexpectedAnswer unless it is 200. */
  async send<Body>(path: string, lines: Iterable<Line> | AsyncIterable<Line>): Promise<Body> {
    const response = await fetch(this.baseUrl + path, {
      method: 'POST',
      headers: { ...this.#headers, 'Content-Type': 'application/x-ndjson' },
      body: bodyOf(lines),
      duplex: 'half',
    });
    const text = await response.text();
    requireStatus(response, 200, `POST ${path}`, text);
    return parse(text) as Body;
  }

  /** A list as one stream of lines, and the revision that it is of. @throws UnexpectedAnswer unless it is 200. */
  async receive(path: string): Promise<{ revision: number; lines: AsyncIterable<Line> }> {
    const response = await fetch(this.baseUrl + path, {
      headers: { ...this.#headers, Accept: 'application/x-ndjson' },
    });
    if (response.status !== 200 || response.body === null) {
      requireStatus(response, 200, `GET ${path}`, await response.text());
      throw new UnexpectedAnswer(`GET ${path} gave no body`);
    }
    return { revision: Number(response.headers.get('Diptych-Revision')), lines: linesOf(response.body) };
  }

  /** The status of a GET, whatever it is. */
  async statusOf(path: string): Promise<number> {
    const response = await fetch(this.baseUrl + path, { headers: this.#headers });
    await response.arrayBuffer();
    return response.status;
  }
}

function requireStatus({ status }: Response, expected: number, request: string, text: string): void {
  if (status !== expected) {
    throw new UnexpectedAnswer(`${request} gave ${status} instead of ${expected}: ${text.slice(0, 1_000)}`);
  }
}

function parse(text: string): unknown {
  return text === '' ? null : JSON.parse(text);
}

/** A key of its own for each thing that must be done once, as a structured-field string (RFC 9651). */
export function newIdempotencyKey(): string {
  return `"${randomUUID()}"`;
}
