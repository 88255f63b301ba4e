import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ChangesetView } from '../domain/changeset.js';
import type { CommitResult } from '../domain/commit.js';
import { matchesTag } from '../domain/entity-tag.js';
import { DiptychError } from '../domain/errors.js';
import type { Precondition } from '../domain/precondition.js';
import { matchesWeakly } from './entity-tags.js';
import { NDJSON_TYPE } from './plugins/bodies.js';

// Names of headers are written in small letters, as Fastify keeps them: it makes a new text of any other each time.
const JSON_TYPE = 'application/json; charset=utf-8';
// Kept by nobody but its caller, who asks each time; what it has is confirmed with a bodiless 304.
const REVALIDATE = 'private, no-cache';

export interface ReadAnswer {
  /** Ready to send, in UTF-8; without it `body` is what is made a text of. */
  text?: string | Buffer;
  body?: unknown;
  /** The store revision that the body reflects. */
  revision: number;
  /** The entity tag of the resource; made from the text when the resource has none of its own. */
  tag?: string;
  /** The cursor of the next page, for `Link`. */
  next?: string | null;
}

export interface LinesAnswer {
  revision: number;
  tag: string;
  text: AsyncIterable<string>;
}

/** Answers a read: 200, or 304 when the client has exactly this (RFC 9110, sections 13.1 and 15.4.5). */
export function answerRead(request: FastifyRequest, reply: FastifyReply, answer: ReadAnswer): FastifyReply {
  const { revision, next, text = JSON.stringify(answer.body) } = answer;
  const tag = answer.tag ?? `"${createHash('sha256').update(text).digest('base64url').slice(0, 27)}"`;
  const known = isKnown(request, { tag, revision });
  reply.header('etag', tag).header('diptych-revision', String(revision)).header('cache-control', REVALIDATE);
  if (typeof next === 'string') {
    reply.header('link', linkToNext(request.url, 'cursor', next));
  }
  return known ? reply.code(304).send() : reply.header('content-type', JSON_TYPE).send(text);
}

/** For a read that is told its answer by a call; what is wrong is refused as if it had been thrown. */
export function readerFor(request: FastifyRequest, reply: FastifyReply) {
  const failed = (error: unknown) => {
    reply.send(error);
  };
  const done = (answer: ReadAnswer) => {
    try {
      answerRead(request, reply, answer);
    } catch (error) {
      failed(error);
    }
  };
  return { done, failed };
}

/** Answers a read with lines of JSON as they come. Only the connection that breaks tells of what fails on the way. */
export function answerLines(request: FastifyRequest, reply: FastifyReply, answer: LinesAnswer): FastifyReply {
  reply.headers({
    etag: answer.tag,
    'diptych-revision': String(answer.revision),
    'cache-control': REVALIDATE,
  });
  if (isKnown(request, answer)) {
    return reply.code(304).send();
  }
  // A stream that HEAD gets would be read to its end.
  const text = request.method === 'HEAD' ? [] : answer.text;
  return reply.type(NDJSON_TYPE).send(Readable.from(text, { objectMode: false }));
}

/** Whether the client has exactly this. @throws DiptychError `precondition-failed` where `If-Match` fails */
function isKnown(request: FastifyRequest, { tag, revision }: { tag: string; revision: number }): boolean {
  const { 'if-match': seen, 'if-none-match': known } = request.given;
  if (seen !== undefined && !matchesTag(seen, tag)) {
    throw new DiptychError('precondition-failed', 'This is not what If-Match names.', {
      extensions: { etag: tag },
    }).asOf(revision);
  }
  return known !== undefined && matchesWeakly(known, tag);
}

/** Answers a commit: 200, with the revision that the caller can wait for elsewhere. */
export function answerCommit(
  reply: FastifyReply,
  { result, replayed }: { result: CommitResult; replayed: boolean },
): FastifyReply {
  reply.headers({ 'diptych-revision': String(result.revision), 'cache-control': 'no-store' });
  if (replayed) {
    reply.header('idempotency-replayed', 'true');
  }
  return reply.type(JSON_TYPE).send(JSON.stringify(result));
}

/** `Link` to the same URL with another position (RFC 8288). */
export function linkToNext(url: string, parameter: string, position: string): string {
  const [path = '', query = ''] = url.split('?', 2);
  const others = query.split('&').filter((pair) => pair !== '' && pair.split('=', 1)[0] !== parameter);
  const target = `${path}?${[...others, `${parameter}=${encodeURIComponent(position)}`].join('&')}`;
  // What ends the target of a link early may stand raw in a URL that Node lets through.
  return `<${target.replaceAll('<', '%3C').replaceAll('>', '%3E').replaceAll('"', '%22')}>; rel="next"`;
}

/** What the caller says it saw. */
export function preconditionOf(request: FastifyRequest): Precondition {
  const { 'if-match': ifMatch, 'if-none-match': ifNoneMatch } = request.given;
  const precondition: Precondition = {};
  if (ifMatch !== undefined) precondition.ifMatch = ifMatch;
  if (ifNoneMatch !== undefined) precondition.ifNoneMatch = ifNoneMatch;
  return precondition;
}

/** Answers a write with the changeset as it is now. */
export function answerChangeset(
  reply: FastifyReply,
  { changeset, tag, revision }: { changeset: ChangesetView; tag: string; revision: number },
): ChangesetView {
  reply.headers({ etag: tag, 'diptych-revision': String(revision), 'cache-control': 'no-store' });
  return changeset;
}
