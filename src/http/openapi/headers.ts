import type { HeaderName } from './operation.js';

interface HeaderDoc {
  description: string;
  required?: true;
  schema: Record<string, unknown>;
}

type AnyHeader = HeaderName | 'Retry-After' | 'WWW-Authenticate' | 'Accept-Patch' | 'Accept' | 'X-Request-Id';

/** Every header that an answer documents. */
export const headerDocs: Record<AnyHeader, HeaderDoc> = {
  ETag: {
    description: 'Entity tag of what the answer is about, always a strong one.',
    required: true,
    schema: { type: 'string', pattern: '^"[^"]*"$' },
  },
  'Diptych-Revision': {
    description: 'The store revision that the answer reflects.',
    required: true,
    schema: { type: 'integer', format: 'int64', minimum: 0 },
  },
  Link: {
    description: 'The next page, `rel="next"`; absent on the last.',
    schema: { type: 'string' },
  },
  Location: {
    description: 'Path of what was created.',
    required: true,
    schema: { type: 'string', format: 'uri-reference' },
  },
  'Idempotency-Replayed': {
    description: '`true`: this is the answer that the first request with this `Idempotency-Key` got.',
    schema: { type: 'string', enum: ['true'] },
  },
  'Retry-After': {
    description: 'Seconds after which to try again.',
    required: true,
    schema: { type: 'integer', minimum: 0 },
  },
  'WWW-Authenticate': {
    description: 'The scheme to authenticate with.',
    required: true,
    schema: { type: 'string' },
  },
  'Accept-Patch': {
    description: 'The media types that PATCH takes here.',
    required: true,
    schema: { type: 'string' },
  },
  Accept: {
    description: 'The media types that are taken here.',
    required: true,
    schema: { type: 'string' },
  },
  'X-Request-Id': {
    description: 'Names the request in the log; your own when you sent a sane one.',
    required: true,
    schema: { type: 'string' },
  },
};

/** A reference to the component of the header `name`. */
export function headerReference(name: AnyHeader): { $ref: string } {
  return { $ref: `#/components/headers/${name}` };
}

/** The headers that refusals with `status` carry. */
export function headersOfRefusal(status: number, method: string): AnyHeader[] {
  switch (status) {
    case 401:
      return ['WWW-Authenticate'];
    case 415:
      return [method === 'patch' ? 'Accept-Patch' : 'Accept'];
    case 503:
      return ['Retry-After'];
    default:
      return [];
  }
}
