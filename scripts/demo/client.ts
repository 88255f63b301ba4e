import { randomUUID } from 'node:crypto';

/** What the demo uses of the wire format; `openapi/openapi.json` has all of it. */
export interface Licence {
  name: string;
  url?: string;
  osiApproved: boolean;
  licenseText: string;
}

export interface LiveRecord {
  key: string;
  version: number;
  revision: number;
  data: Licence;
}

export interface RecordPage {
  items: LiveRecord[];
  next: string | null;
  revision: number;
}

export interface Committed {
  revision: number;
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

export interface Change {
  revision: number;
  operation: 'create' | 'update' | 'delete';
  key: string;
  before: { version: number; data: Licence } | null;
  after: { version: number; data: Licence } | null;
}

export interface ChangePage {
  changes: Change[];
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
    if (response.status !== expect) {
      throw new UnexpectedAnswer(
        `${method} ${path} gave ${response.status} instead of ${expect}: ${text.slice(0, 1_000)}`,
      );
    }
    return { status: response.status, headers: response.headers, body: parse(text) as Body };
  }

  /** The status of a GET, whatever it is. */
  async statusOf(path: string): Promise<number> {
    const response = await fetch(this.baseUrl + path, { headers: this.#headers });
    await response.arrayBuffer();
    return response.status;
  }
}

function parse(text: string): unknown {
  return text === '' ? null : JSON.parse(text);
}

/** A key of its own for each thing that must be done once, as a structured-field string (RFC 9651). */
export function newIdempotencyKey(): string {
  return `"${randomUUID()}"`;
}
