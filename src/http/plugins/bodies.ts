import type { Readable } from 'node:stream';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { DiptychError } from '../../domain/errors.js';
import type { Failure } from '../../domain/failure.js';
import { agreedContentType } from '../../lib/content-type.js';
import { ExactJsonError, parseExactJson } from '../../lib/exact-json.js';
import type { JsonValue } from '../../lib/json-value.js';
import { invalidRequest } from '../problem.js';

export const JSON_TYPE = 'application/json';
export const MERGE_PATCH_TYPE = 'application/merge-patch+json';
export const JSON_PATCH_TYPE = 'application/json-patch+json';
/** One JSON text on each line. */
export const NDJSON_TYPE = 'application/x-ndjson';

const JSON_TYPES: readonly string[] = [JSON_TYPE];

// Data may be 64 levels deep, and lies a few levels deep in the bodies that carry it.
export const BODY_DEPTH_MAX = 72;

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * One parser for each media type that some route takes, chosen by the parsed type alone. A body of another
 * type, or of a type that this route does not take, is refused with 415; no bytes are no body, whatever the
 * type says.
 */
export function parseBodies(app: FastifyInstance): void {
  const limit = app.initialConfig.bodyLimit ?? Number.POSITIVE_INFINITY;
  app.removeAllContentTypeParsers();
  app.addHook('onRequest', (request, _reply, done) => {
    const { headers } = request.raw;
    const type = headers['content-type'];
    // Some clients send it twice, and whatever is between them and us may have joined it.
    if (type?.includes(',')) headers['content-type'] = agreedContentType(type);
    done();
  });
  for (const type of [JSON_TYPE, MERGE_PATCH_TYPE, JSON_PATCH_TYPE]) {
    app.addContentTypeParser(type, (request, payload, done) => {
      collect(payload, { request, limit }, (error, bytes) => {
        let body: JsonValue | undefined;
        let failure = error;
        try {
          if (bytes !== undefined) body = parseBody(request, type, bytes);
        } catch (refusal) {
          failure = refusal as Error;
        }
        done(failure, body);
      });
    });
  }
  app.addContentTypeParser(NDJSON_TYPE, (request, payload, done) => {
    // Handed on as it is: whoever takes it reads it, however long it is.
    const isTaken = acceptedTypes(request).includes(NDJSON_TYPE) && isUtf8(request) && isPlain(request);
    done(isTaken ? null : unsupportedMediaType(request), payload);
  });
  app.addContentTypeParser('*', (request, payload, done) => {
    let isEmpty = true;
    payload.once('data', () => {
      isEmpty = false;
      done(unsupportedMediaType(request), undefined);
    });
    payload.once('end', () => isEmpty && done(null, undefined));
    payload.once('error', (error: Error) => isEmpty && done(error, undefined));
  });
}

/**
 * Gives all bytes of a body, or what is wrong with it. Fastify's own reader (`parseAs`) copies even what came in one
 * piece, and takes its listeners off a request that is over, which costs more than to put them on.
 */
function collect(
  payload: Readable,
  { request, limit }: { request: FastifyRequest; limit: number },
  done: (error: Error | null, bytes?: Buffer) => void,
): void {
  const expected = Number(request.headers['content-length']);
  const tooLarge = () => new DiptychError('body-too-large', 'The body is larger than this service takes.');
  if (expected > limit) {
    done(tooLarge());
    return;
  }
  let chunks: Buffer[] | null = [];
  let length = 0;
  const settle = (error: Error | null, bytes?: Buffer) => {
    if (chunks === null) return;
    // The listeners live as long as the request.
    chunks = null;
    done(error, bytes);
  };
  payload.on('data', (chunk: Buffer) => {
    length += chunk.length;
    if (length > limit) settle(tooLarge());
    else chunks?.push(chunk);
  });
  payload.on('end', () => {
    const [first, ...others] = chunks ?? [];
    if (Number.isNaN(expected) || expected === length) {
      settle(null, first === undefined || others.length > 0 ? Buffer.concat(chunks ?? []) : first);
    } else {
      const message = 'The body does not have the length that Content-Length says.';
      settle(invalidRequest([{ pointer: '/content-length', code: 'invalid', message, in: 'header' }]));
    }
  });
  payload.on('error', (error) => settle(error));
}

function parseBody(request: FastifyRequest, type: string, bytes: Buffer): JsonValue | undefined {
  if (bytes.length === 0) {
    return undefined;
  }
  const { bodyTypes = JSON_TYPES, refusalOfBody } = request.routeOptions.config;
  if (!bodyTypes.includes(type) || !isUtf8(request) || !isPlain(request)) {
    throw unsupportedMediaType(request);
  }
  return parseText(decodeBody(bytes), refusalOfBody);
}

function isUtf8(request: FastifyRequest): boolean {
  const type = request.headers['content-type'] ?? '';
  if (!type.includes(';')) return true;
  const charsets = [...type.matchAll(/;\s*charset\s*=\s*"?([^\s;"]*)/gi)];
  return charsets.every(([, name]) => /^utf-?8$/i.test(name ?? ''));
}

/** Whether the bytes are the body itself: nothing is unpacked here. */
function isPlain(request: FastifyRequest): boolean {
  const encoding = request.headers['content-encoding'];
  return encoding === undefined || /^(identity)?$/i.test(encoding.trim());
}

function decodeBody(bytes: Buffer): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw new DiptychError('malformed-json', 'The body is not valid UTF-8.');
  }
}

function parseText(text: string, toldBy: RefusalOfBody = (refusal) => refusal): JsonValue {
  try {
    return parseExactJson(text, { maxDepth: BODY_DEPTH_MAX });
  } catch (error) {
    throw error instanceof ExactJsonError ? toldBy(refusalOf(error), text) : error;
  }
}

function refusalOf(error: ExactJsonError): DiptychError {
  const errors: Failure[] = error.failures;
  switch (error.kind) {
    case 'malformed':
      return new DiptychError('malformed-json', error.message, { errors });
    case 'forbidden-member':
      return new DiptychError('forbidden-member', error.message, { errors });
    case 'unstorable':
      return new DiptychError('unstorable-data', 'Some of the body cannot be stored exactly; see errors.', {
        errors,
      });
  }
}

/** The media types that the route of `request` takes. */
function acceptedTypes(request: FastifyRequest): readonly string[] {
  return request.routeOptions.config.bodyTypes ?? JSON_TYPES;
}

export function unsupportedMediaType(request: FastifyRequest): DiptychError {
  const types = acceptedTypes(request).join(' or ');
  const given = request.headers['content-type'];
  const detail =
    given === undefined
      ? `A body needs a Content-Type: ${types}.`
      : `The body must be ${types}, in UTF-8, without a Content-Encoding.`;
  return new DiptychError('unsupported-media-type', detail);
}

/** What a 415 names: `Accept-Patch` for PATCH (RFC 5789), `Accept` for the others (RFC 9110). */
export function acceptHeader(request: FastifyRequest): Record<string, string> {
  const name = request.method === 'PATCH' ? 'Accept-Patch' : 'Accept';
  return { [name]: acceptedTypes(request).join(', ') };
}

/** How a route tells what keeps a body from being parsed. */
type RefusalOfBody = (refusal: DiptychError, text: string) => DiptychError;

declare module 'fastify' {
  interface FastifyContextConfig {
    /** As for every body when not given. */
    refusalOfBody?: RefusalOfBody;
    /** Media types of the body; application/json when not given. */
    bodyTypes?: readonly string[];
  }
}
