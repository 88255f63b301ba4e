import { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Context } from '../commands/context.js';
import { DiptychError } from '../domain/errors.js';
import type { FeedFormat } from '../domain/feed-format.js';
import type { Drain } from '../lib/drain.js';
import { ChangeStreams } from '../queries/stream-changes.js';
import { acceptedType } from './accept.js';
import { JSON_TYPE, NDJSON_TYPE } from './plugins/bodies.js';
import { invalidRequest } from './problem.js';
import { parseQuery } from './query-string.js';
import { given, type Server } from './server.js';
import { StreamAnswers, type StreamTimes } from './stream-answers.js';
import { EVENTS_TYPE, streamForms } from './stream-forms.js';

const FEED_TYPES = [JSON_TYPE, EVENTS_TYPE, NDJSON_TYPE] as const;

type FeedType = (typeof FEED_TYPES)[number];

/** What the feed is asked for as. @throws DiptychError `not-acceptable` */
export function feedTypeOf(request: FastifyRequest): FeedType {
  const type = acceptedType(request.headers.accept, FEED_TYPES);
  if (type === null) {
    throw new DiptychError('not-acceptable', `The feed comes as ${FEED_TYPES.join(', ')}.`, {
      extensions: { available: FEED_TYPES },
    });
  }
  return type;
}

/** A request of the feed that is to be answered by a stream. */
interface StreamRequest extends FastifyRequest {
  query: {
    after?: string | undefined;
    cursor?: string | undefined;
    collection?: string | undefined;
    keyPrefix?: string | undefined;
    format: FeedFormat;
  };
}

/** Answers requests of the feed by streams. */
export class FeedStreams {
  readonly changes: ChangeStreams;
  readonly answers: StreamAnswers;

  constructor(app: Server, context: Context, options: { drain: Drain; times: StreamTimes }) {
    const tell = (text: string) => (error: unknown) => app.log.error({ err: error }, text);
    this.changes = new ChangeStreams(context, {
      onError: tell('the feed could not be read; it is tried again'),
    });
    this.answers = new StreamAnswers({ ...options, onFailure: tell('a stream of the feed failed') });
    app.addHook('onClose', (_app, done) => {
      this.answers.close();
      done();
    });
  }

  async answer(
    request: StreamRequest,
    reply: FastifyReply,
    type: Exclude<FeedType, typeof JSON_TYPE>,
  ): Promise<FastifyReply> {
    refusePages(request.url);
    const form = streamForms[type];
    const { after, cursor, collection, keyPrefix, format } = request.query;
    const lastEventId = type === EVENTS_TYPE ? request.given['last-event-id'] : undefined;
    const { head, open } = await this.changes.streamChanges({
      ...given({ after: lastEventId || (cursor ?? after), collection, keyPrefix }),
      view: form.viewOf(format),
    });
    reply.headers({
      'Content-Type': type,
      'Diptych-Revision': String(head),
      'Cache-Control': 'no-store',
      // Proxies that gather an answer before they send it on would hold a stream back for ever.
      'X-Accel-Buffering': 'no',
    });
    if (request.method === 'HEAD') {
      // Of a stream, so that no length is told which GET has not.
      return reply.send(Readable.from([]));
    }
    const headers = reply.getHeaders() as Record<string, string>;
    reply.hijack();
    this.answers.start({ response: reply.raw, headers, form, open, requestId: request.id });
    return reply;
  }
}

const NOT_OF_STREAMS = {
  limit: 'Not with a stream, which has no pages.',
  page: 'Not with a stream, which has no pages: say where to start with `after`.',
  wait: 'Not with a stream, which waits by itself.',
  group: 'Not with a stream, which tells each change by itself; its position says where a commit ends.',
};

/** @throws DiptychError `invalid-request` for what only pages have */
function refusePages(url: string): void {
  const { query } = parseQuery(url);
  const failures = Object.entries(NOT_OF_STREAMS)
    .filter(([name]) => query[name] !== undefined)
    .map(([name, message]) => ({ pointer: `/${name}`, code: 'not-together', message, in: 'query' as const }));
  if (failures.length > 0) {
    throw invalidRequest(failures);
  }
}
