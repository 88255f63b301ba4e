import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Failure } from '../../domain/failure.js';
import { formatPointer } from '../../lib/json-pointer.js';
import { invalidRequest } from '../problem.js';
import { parseQuery } from '../query-string.js';
import { emptyBody } from '../schemas/bodies.js';
import type { GivenHeaders } from '../schemas/headers.js';

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
  app.setValidatorCompiler(() => (value: unknown) => ({ value }));
  app.decorateRequest('given');
  app.addHook('preValidation', async (request) => {
    if (request.is404 || request.routeOptions.config.operation === undefined) {
      return;
    }
    const failures = validate(request);
    if (failures.length > 0) {
      throw invalidRequest(failures);
    }
  });
}

function validate(request: FastifyRequest): Failure[] {
  const { schema, config } = request.routeOptions;
  const { query, failures } = parseQuery(request.url);
  const check = (part: Part, wanted: unknown, value: unknown): unknown => {
    const known = wanted instanceof z.ZodType ? wanted : part === 'header' ? anything : nothing;
    const parsed = known.safeParse(value, { reportInput: true });
    if (parsed.success) {
      return parsed.data;
    }
    failures.push(...parsed.error.issues.flatMap((issue) => failuresOf(issue, part)));
    return undefined;
  };
  request.params = check('path', schema?.params, request.params);
  request.query = check('query', schema?.querystring, query);
  request.given = check('header', schema?.headers, request.headers) as GivenHeaders;
  if (!['GET', 'HEAD'].includes(request.method)) {
    const body = config.bodies?.[request.mediaType ?? ''] ?? schema?.body ?? emptyBody;
    request.body = check('body', body, request.body);
  }
  return failures;
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
