import { setMaxListeners } from 'node:events';
import type { FastifyReply } from 'fastify';
import type { Context } from '../../commands/context.js';
import { commitsPageText, feedPageText } from '../../domain/feed-text.js';
import type { Drain } from '../../lib/drain.js';
import { readChanges } from '../../queries/read-changes.js';
import { readCommits } from '../../queries/read-commits.js';
import { linkToNext } from '../answers.js';
import { type FeedStreams, feedTypeOf } from '../feed-streams.js';
import { readChangesDoc } from '../openapi/feed-docs.js';
import { operation } from '../openapi/operation.js';
import { JSON_TYPE } from '../plugins/bodies.js';
import { feedQuery } from '../schemas/feed-query.js';
import { feedHeaders } from '../schemas/headers.js';
import { given, type Server } from '../server.js';

export function changesRoutes(
  app: Server,
  context: Context,
  { drain, streams }: { drain: Drain; streams: FeedStreams },
): void {
  // Every reader that waits listens for the end of the process; any number of them is right.
  setMaxListeners(0, drain.signal);

  app.route({
    method: 'GET',
    url: '/v1/changes',
    ...operation(readChangesDoc, { querystring: feedQuery, headers: feedHeaders }),
    handler: async (request, reply) => {
      const type = feedTypeOf(request);
      reply.header('Vary', 'Accept');
      if (type !== JSON_TYPE) {
        return await streams.answer(request, reply, type);
      }
      const { after, cursor, group, page, format, wait, ...others } = request.query;
      const wanted = { ...others, waitSeconds: wait, ...given({ after: cursor ?? after }) };
      const answer = await untilGone(drain, reply, async (signal) => {
        if (group === 'commit') {
          const found = await readCommits(context, { ...wanted, signal });
          return { ...found, text: commitsPageText(found) };
        }
        const found = await readChanges(context, { ...wanted, ...given({ page }), signal });
        return { ...found, text: feedPageText(found, format) };
      });
      reply.headers({
        'Diptych-Revision': String(answer.head),
        'Cache-Control': 'no-store',
        ...(page === undefined
          ? { Link: linkToNext(request.url, format === 'changes' ? 'after' : 'cursor', answer.next) }
          : {}),
      });
      return reply.type(JSON_TYPE).send(answer.text);
    },
  });
}

/** Runs `read` with a signal that says there is no point in waiting: the process drains or the client left. */
async function untilGone<T>(
  drain: Drain,
  reply: FastifyReply,
  read: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const stop = () => controller.abort();
  drain.signal.addEventListener('abort', stop);
  reply.raw.once('close', stop);
  if (drain.signal.aborted) {
    stop();
  }
  try {
    return await read(controller.signal);
  } finally {
    drain.signal.removeEventListener('abort', stop);
    reply.raw.removeListener('close', stop);
  }
}
