import type { z } from 'zod';
import type { ErrorCode } from '../../domain/errors.js';

/** The groups of the documentation, in the order of a record's life. */
export type Tag =
  | 'Collections'
  | 'Pending versions'
  | 'Records'
  | 'Changesets'
  | 'Commits'
  | 'History'
  | 'Change feed'
  | 'Webhooks'
  | 'Cleaning up'
  | 'Service';

export type HeaderName = 'ETag' | 'Diptych-Revision' | 'Link' | 'Location' | 'Idempotency-Replayed';

/** One answer that is no refusal. */
export interface SuccessDoc {
  description: string;
  /** None: the answer has no body. */
  schema?: z.ZodType;
  headers?: readonly HeaderName[];
  /** Headers that only some of these answers have. */
  optionalHeaders?: readonly HeaderName[];
  example?: unknown;
  /** By name, where there is more than one. */
  examples?: Readonly<Record<string, BodyExample>>;
  /** `application/json` when not given. */
  mediaType?: string;
  /** The same in other media types, for clients that ask for them by `Accept`. */
  alternatives?: Readonly<Record<string, { schema: Readonly<Record<string, unknown>>; example: unknown }>>;
}

export interface BodyExample {
  summary: string;
  value: unknown;
}

/** What people and programs are told of an operation beyond what its schemas say. */
export interface OperationDoc {
  /** The name of the command or query: operationId, and `operation` in the log. */
  id: string;
  tag: Tag;
  summary: string;
  description: string;
  successes: Readonly<Record<number, SuccessDoc>>;
  /** The codes it refuses with, beyond those that any operation of its form has. */
  refusals: readonly ErrorCode[];
  /** Values that "Try it out" starts with, by parameter. */
  parameterExamples?: Readonly<Record<string, unknown>>;
  /** By media type, then by name. */
  bodyExamples?: Readonly<Record<string, Readonly<Record<string, BodyExample>>>>;
  /** Schemas of the body by media type, where there is more than one. */
  bodies?: Readonly<Record<string, z.ZodType>>;
  bodyOptional?: boolean;
  /** The body is read as a stream: what is wrong in it is in the answer, and its length has no bound. */
  streamed?: boolean;
  /** Needs no token. */
  open?: boolean;
}

/** The schemas of a request. */
export interface RequestParts {
  params?: z.ZodType;
  querystring?: z.ZodType;
  headers?: z.ZodType;
  body?: z.ZodType;
}

const documented = new Map<string, OperationDoc>();

/** The names of all operations in the order of their routes, which is that of a record's life. */
export function operationIds(): string[] {
  return [...documented.keys()];
}

/** The documentation of the operation `id`, for the one who writes the document. */
export function documentationOf(id: string): OperationDoc | undefined {
  return documented.get(id);
}

/** `schema` and `config` of a Fastify route: the given parts, typed, with the documentation at their side. */
export function operation<const Parts extends RequestParts>(doc: OperationDoc, parts: Parts) {
  documented.set(doc.id, doc);
  const response = Object.fromEntries(
    Object.entries(doc.successes).flatMap(([status, { schema }]) =>
      schema === undefined ? [] : [[status, schema]],
    ),
  );
  const texts = { operationId: doc.id, tags: [doc.tag], summary: doc.summary, description: doc.description };
  // The answers are left out of the type: what handlers send are the views of the queries as they are.
  const hidden: object = doc.open ? { response, security: [] } : { response };
  return {
    schema: { ...parts, ...texts, ...hidden } as Parts & typeof texts,
    config: {
      operation: doc.id,
      ...(doc.streamed ? { streamed: true } : {}),
      ...(doc.bodies === undefined ? {} : { bodies: doc.bodies, bodyTypes: Object.keys(doc.bodies) }),
    },
  };
}
