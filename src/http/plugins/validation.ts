import type { FastifyInstance, FastifyRequest, FastifySchema } from 'fastify';
import { z } from 'zod';
import type { Failure } from '../../domain/failure.js';
import { formatPointer } from '../../lib/json-pointer.js';
import { invalidRequest } from '../problem.js';
import { parseQuery } from '../query-string.js';
import { emptyBody } from '../schemas/bodies.js';
import type { GivenHeaders } from '../schemas/headers.js';
import { readQuickly } from '../schemas/quickly.js';

type Issue = z.core.$ZodIssue;
type Part = NonNullable<Failure['in']> | 'body';

const nothing = z.strictObject({});
const anything = z.object({});

/**
 * Holds path, query, headers and body against the schemas of the route, all four before anything is refused,
 * so that a caller hears of every mistake at once. Fastify's own validation would stop at the first part and
 * is switched off. Parsed headers are in `request.given`.
 */
export function validateRequests(app: FastifyInstance): void {
  // What says yes leaves everything as it is; a value would be put in the place of the headers, which costs copies.
  app.setValidatorCompiler(() => () => true);
  app.decorateRequest('given');
  app.addHook('preValidation', (request, _reply, done) => {
    const { schema, config } = request.routeOptions;
    const failures = config.operation === undefined ? [] : validate(request, schema ?? {}, config.bodies);
    done(failures.length > 0 ? invalidRequest(failures) : undefined);
  });
}

function validate(request: FastifyRequest, schema: FastifySchema, bodies: Bodies): Failure[] {
  const failures: Failure[] = [];
  const check = (part: Part, wanted: z.ZodType, value: unknown): unknown => {
    const parsed = wanted.safeParse(value, { reportInput: true });
    if (parsed.success) {
      return parsed.data;
    }
    failures.push(...parsed.error.issues.flatMap((issue) => failuresOf(issue, part)));
    return undefined;
  };
  if (schema.params instanceof z.ZodType) {
    request.params =
      readQuickly(schema.params, request.params) ?? check('path', schema.params, request.params);
  }

  const querystring = zodOf(schema.querystring, nothing);
  // Most requests have neither a query nor a header that means something here: what these are then is known.
  let query = request.url.includes('?') ? undefined : ofNothing(querystring);
  if (query === undefined) {
    const parsed = parseQuery(request.url);
    failures.push(...parsed.failures);
    query = check('query', querystring, parsed.query);
  }
  request.query = query;

  const headers = zodOf(schema.headers, anything);
  const areGiven = namesOf(headers).some((name) => request.headers[name] !== undefined);
  const known = areGiven ? readQuickly(headers, request.headers) : ofNothing(headers);
  request.given = (known ?? check('header', headers, request.headers)) as GivenHeaders;

  if (request.method !== 'GET' && request.method !== 'HEAD') {
    const wanted = bodies?.[request.mediaType ?? ''] ?? zodOf(schema.body, emptyBody);
    const { body } = request;
    const known = body === undefined ? ofNoBody(wanted) : readQuickly(wanted, body);
    request.body = known ?? check('body', wanted, body);
  }
  return failures;
}

type Bodies = Readonly<Record<string, z.ZodType>> | undefined;

const zodOf = (schema: unknown, otherwise: z.ZodType) => (schema instanceof z.ZodType ? schema : otherwise);

/** What schemas make of an object without members; undefined where one demands some. */
const ofNothing = outcomeOf({});

/** What schemas make of a body that is not there; undefined where one demands it. */
const ofNoBody = outcomeOf(undefined);

/** What a schema makes of `value`, worked out once. */
function outcomeOf(value: unknown): (schema: z.ZodType) => unknown {
  const known = new WeakMap<z.ZodType, { outcome: unknown }>();
  return (schema) => {
    let entry = known.get(schema);
    if (entry === undefined) {
      const parsed = schema.safeParse(value);
      entry = { outcome: parsed.success ? Object.freeze(parsed.data) : undefined };
      known.set(schema, entry);
    }
    return entry.outcome;
  };
}

const names = new WeakMap<z.ZodType, string[]>();

/** The members that an object of this schema may have. */
function namesOf(schema: z.ZodType): string[] {
  let known = names.get(schema);
  if (known === undefined) {
    known = schema instanceof z.ZodObject ? Object.keys(schema.shape) : [];
    names.set(schema, known);
  }
  return known;
}

/** What an issue says, as the failures of a request's `part`. */
export function failuresOf(issue: Issue, part: Part): Failure[] {
  const place = part === 'body' ? {} : { in: part };
  const path = issue.path.map((step) => (typeof step === 'symbol' ? String(step) : step));
  if (issue.code === 'unrecognized_keys') {
    const code = part === 'body' ? 'unknown-member' : 'unknown-parameter';
    const message = part === 'body' ? 'There is no such member here.' : 'There is no such parameter.';
    return issue.keys.map((key) => ({ pointer: formatPointer([...path, key]), code, message, ...place }));
  }
  const params = issue.code === 'custom' ? issue.params : undefined;
  const pointer = formatPointer(typeof params?.parameter === 'string' ? [params.parameter] : path);
  const code = typeof params?.code === 'string' ? params.code : codeOf(issue);
  return [{ pointer, code, message: messageOf(issue), ...place }];
}

function codeOf(issue: Issue): string {
  if (issue.input === undefined && issue.code !== 'custom') {
    return 'required';
  }
  switch (issue.code) {
    case 'invalid_type':
      return 'type';
    case 'too_big':
    case 'too_small':
      return 'out-of-range';
    case 'invalid_value':
    case 'invalid_union':
      return 'choice';
    default:
      return 'format';
  }
}

function messageOf(issue: Issue): string {
  if (issue.input === undefined && issue.code !== 'custom') {
    return 'Must be given.';
  }
  switch (issue.code) {
    case 'invalid_type':
      return `Must be ${nameOfType(issue.expected)}.`;
    case 'too_big':
      return `Must be at most ${issue.maximum}${unitOf(issue.origin)}.`;
    case 'too_small':
      return `Must be at least ${issue.minimum}${unitOf(issue.origin)}.`;
    case 'invalid_value':
      return `Must be one of ${issue.values.map(String).join(', ')}.`;
    case 'invalid_union':
      return 'Must be one of the documented choices.';
    default:
      return issue.message;
  }
}

function nameOfType(type: string): string {
  const names: Record<string, string> = {
    int: 'a whole number',
    object: 'a JSON object',
    array: 'a JSON array',
    boolean: 'true or false',
  };
  return names[type] ?? `a ${type}`;
}

function unitOf(origin: string): string {
  return origin === 'string' ? ' characters' : origin === 'array' ? ' items' : '';
}

declare module 'fastify' {
  interface FastifyRequest {
    given: GivenHeaders;
  }
  interface FastifyContextConfig {
    /** The schema of the body by media type, where a route takes more than one. */
    bodies?: Readonly<Record<string, z.ZodType>>;
  }
}
