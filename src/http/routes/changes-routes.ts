import { setMaxListeners } from 'node:events';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import type { Context } from '../../commands/context.js';
import type { Drain } from '../../lib/drain.js';
import { readChanges } from '../../queries/read-changes.js';
import { linkToNext } from '../answers.js';
import { readChangesDoc } from '../openapi/commits-docs.js';
import { operation } from '../openapi/operation.js';
import { feedHeaders } from '../schemas/headers.js';
import { limitText } from '../schemas/list-query.js';
import { collectionName, integerText } from '../schemas/primitives.js';
import { given, type Server } from '../server.js';

const WAIT_SECONDS_MAX = 60;
const LIMIT_DEFAULT = 100;

const feedQuery = z.strictObject({
  after: z
    .string()
    .regex(
      /^(?:0|[1-9]\d{0,14})(?:\.(?:0|[1-9]\d{0,8}))?$/,
      'Must be a revision, or `next` of the page before.',
    )
    .default('0')
    .meta({ description: 'The position after which to go on: a revision, or `next` of the page before.' }),
  limit: limitText.default(LIMIT_DEFAULT),
  collection: collectionName.meta({ description: 'Only changes of this collection.' }).optional(),
  wait: integerText(0, WAIT_SECONDS_MAX, {
    description: `Seconds to wait for news when there is none: 0 to ${WAIT_SECONDS_MAX}.`,
    default: 0,
  }).default(0),
});

export function changesRoutes(app: Server, context: Context, drain: Drain): void {
  // Every reader that waits listens for the end of the process; any number of them is right.
  setMaxListeners(0, drain.signal);

  app.route({
    method: 'GET',
    url: '/v1/changes',
    ...operation(readChangesDoc, { querystring: feedQuery, headers: feedHeaders }),
    handler: async (request, reply) => {
      const { after, limit, collection, wait } = request.query;
      const page = await untilGone(drain, reply, (signal) =>
        readChanges(context, { after, limit, waitSeconds: wait, signal, ...given({ collection }) }),
      );
      reply.headers({
        'Diptych-Revision': String(page.head),
        'Cache-Control': 'no-store',
        Link: linkToNext(request.url, 'after', page.next),
      });
      return page;
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
