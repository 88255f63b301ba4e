import Fastify, { type FastifyBaseLogger } from 'fastify';
import type { Logger } from 'pino';
import type { Context } from './commands/context.js';
import type { Config } from './config.js';
import { FeedStreams } from './http/feed-streams.js';
import { authenticate } from './http/plugins/authentication.js';
import { parseBodies } from './http/plugins/bodies.js';
import { limitDuration } from './http/plugins/duration.js';
import { addCommonHeaders, requestIdOf } from './http/plugins/headers.js';
import { guardMethods } from './http/plugins/methods.js';
import { awaitMinRevision } from './http/plugins/min-revision.js';
import { documentRoutes } from './http/plugins/openapi.js';
import { answerClientError, answerProblems, handleError } from './http/plugins/problems.js';
import { RequestLog } from './http/plugins/request-log.js';
import { limitArrival } from './http/plugins/slow-clients.js';
import { validateRequests } from './http/plugins/validation.js';
import { changesRoutes } from './http/routes/changes-routes.js';
import { changesetEndRoutes } from './http/routes/changeset-end-routes.js';
import { changesetsRoutes } from './http/routes/changesets-routes.js';
import { collectionsRoutes } from './http/routes/collections-routes.js';
import { commitsRoutes } from './http/routes/commits-routes.js';
import { historyRoutes } from './http/routes/history-routes.js';
import { ingestRoutes } from './http/routes/ingest-routes.js';
import { linesRoutes } from './http/routes/lines-routes.js';
import { pendingRoutes } from './http/routes/pending-routes.js';
import { problemRoutes } from './http/routes/problem-routes.js';
import { recordsRoutes } from './http/routes/records-routes.js';
import { retentionRoutes } from './http/routes/retention-routes.js';
import { serviceRoutes } from './http/routes/service-routes.js';
import { webhookStepsRoutes } from './http/routes/webhook-steps-routes.js';
import { webhooksRoutes } from './http/routes/webhooks-routes.js';
import type { Server } from './http/server.js';
import type { StreamTimes } from './http/stream-answers.js';
import type { Drain } from './lib/drain.js';

// A key of 255 characters may take 12 bytes each in a URL.
const PARAMETER_LENGTH_MAX = 4096;
// For the headers; for a body; and for each part of a body that is a stream.
const ARRIVAL_TIMEOUT_MS = 60_000;
// Both leave the longest wait of the change feed, a minute, room to end by itself.
const ANSWER_TIMEOUT_MS = 90_000;
const CONNECTION_TIMEOUT_MS = 120_000;
// Below what proxies take for a connection that has died, and for a reader that has.
const STREAM_TIMES: StreamTimes = { heartbeatMs: 15_000, stallMs: 60_000 };

export interface AppOptions {
  context: Context;
  config: Pick<Config, 'authTokens' | 'maxBodyBytes'>;
  logger: Logger;
  drain: Drain;
  /** How long a body may take to arrive, and a stream be silent. */
  arrivalTimeoutMs?: number;
  /** How long streams may be silent, and their readers stand still. */
  streamTimes?: StreamTimes;
}

/** The whole service as a Fastify app, ready to listen. What a request passes is here from top to bottom. */
export async function buildApp({
  context,
  config,
  logger,
  drain,
  arrivalTimeoutMs = ARRIVAL_TIMEOUT_MS,
  streamTimes = STREAM_TIMES,
}: AppOptions): Promise<Server> {
  const app: Server = Fastify({
    loggerInstance: logger as FastifyBaseLogger,
    logController: new RequestLog(logger),
    genReqId: requestIdOf,
    bodyLimit: config.maxBodyBytes,
    // A stream may take longer: `limitArrival` bounds all the other bodies.
    requestTimeout: 0,
    connectionTimeout: CONNECTION_TIMEOUT_MS,
    return503OnClosing: false,
    // The host is checked by hand, so that the refusal is a problem document.
    http: { requireHostHeader: false, headersTimeout: ARRIVAL_TIMEOUT_MS },
    // The query is parsed with its own failures where the rest of the request is validated.
    routerOptions: { maxParamLength: PARAMETER_LENGTH_MAX, querystringParser: () => ({}) },
    frameworkErrors: handleError,
    clientErrorHandler: answerClientError,
  }).withTypeProvider();
  // The lines of the log name their request themselves; a logger of its own for each would cost as much as a read.
  app.setChildLoggerFactory((parent) => parent);

  answerProblems(app);
  limitArrival(app, arrivalTimeoutMs);
  limitDuration(app, ANSWER_TIMEOUT_MS);
  addCommonHeaders(app);
  authenticate(app, config.authTokens);
  guardMethods(app);
  parseBodies(app);
  validateRequests(app);
  awaitMinRevision(app, context);
  app.setSerializerCompiler(() => (body) => JSON.stringify(body));

  await documentRoutes(app);
  collectionsRoutes(app, context);
  pendingRoutes(app, context);
  recordsRoutes(app, context);
  changesetsRoutes(app, context);
  linesRoutes(app, context, { silenceMs: arrivalTimeoutMs });
  ingestRoutes(app, context);
  changesetEndRoutes(app, context);
  commitsRoutes(app, context);
  historyRoutes(app, context);
  const streams = new FeedStreams(app, context, { drain, times: streamTimes });
  changesRoutes(app, context, { drain, streams });
  webhooksRoutes(app, context);
  webhookStepsRoutes(app, context);
  retentionRoutes(app, context);
  serviceRoutes(app, context, drain);
  problemRoutes(app);
  return app;
}
