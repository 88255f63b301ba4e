import cluster from 'node:cluster';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { buildApp } from './app.js';
import { createContext } from './commands/context.js';
import { type Config, ConfigError, readConfig } from './config.js';
import { startBuildingIndexes } from './jobs/build-indexes.js';
import { startCommittingScheduled } from './jobs/commit-scheduled.js';
import { startDeliveringWebhooks } from './jobs/deliver-webhooks.js';
import { startExpiringAnswers } from './jobs/expire-answers.js';
import { startExpiringDeliveries } from './jobs/expire-deliveries.js';
import { startRetention } from './jobs/retention.js';
import { createDrain } from './lib/drain.js';
import { Closers } from './start/closers.js';
import { loadEnvFileIfPresent } from './start/env-file.js';
import { boundHeap } from './start/heap.js';
import { closeApp, closeConnectionsWhenDraining, listen } from './start/listen.js';
import { createLogger } from './start/logger.js';
import { listenForStop, type StopSignals } from './start/stop-signals.js';
import { reportReady, startWorkers } from './start/workers.js';
import { openDatabase } from './store/db.js';
import { startEmbeddedPostgres } from './store/embedded-postgres.js';
import { startListening } from './store/head-listener.js';
import { applyMigrations } from './store/migrate.js';
import { StartRefusal } from './store/start-refusal.js';

const EXIT_FAILED = 1;
const EXIT_NOT_CONFIGURED = 2;
const CLOSE_POOL_MS = 5_000;

boundHeap();
const config = configure();
const logger = createLogger(config);
process.exit(await run(config, logger));

function configure(): Config {
  try {
    loadEnvFileIfPresent();
    return readConfig(process.env);
  } catch (error) {
    if (error instanceof ConfigError) {
      console.error(error.message);
      process.exit(EXIT_NOT_CONFIGURED);
    }
    throw error;
  }
}

/** Runs the service until it is told to stop. Returns the exit code, when nothing of it is left running. */
async function run(config: Config, logger: Logger): Promise<number> {
  const stop = listenForStop(logger);
  const closers = new Closers();
  let isStarted = false;
  try {
    await start(config, logger, stop, closers);
    isStarted = true;
    await stop.requested;
  } catch (error) {
    if (error instanceof StartRefusal) {
      logger.fatal(error.message);
    } else {
      logger.fatal({ err: error }, 'the service could not start');
    }
  }
  const isClosed = await closers.closeAll(logger);
  return isStarted && isClosed && !stop.isFaulty() ? 0 : EXIT_FAILED;
}

/** Opens everything, bottom up. Returns early when the process is told to stop meanwhile. */
async function start(config: Config, logger: Logger, stop: StopSignals, closers: Closers): Promise<void> {
  const url = await prepareDatabase(config, logger, stop, closers);
  if (stop.isRequested()) {
    return;
  }
  const baseUrl =
    config.processes > 1 && cluster.isPrimary
      ? await startWorkers({ count: config.processes, databaseUrl: url, logger, stop, closers })
      : await serve(url, config, logger, stop, closers);
  if (baseUrl === null || reportReady(baseUrl)) {
    return;
  }
  logger.info(`Diptych is ready: API ${baseUrl}/v1, Swagger UI ${baseUrl}/docs`);
}

/** The URL of a database that has every migration of this build. */
async function prepareDatabase(
  config: Config,
  logger: Logger,
  stop: StopSignals,
  closers: Closers,
): Promise<string> {
  let url = config.databaseUrl;
  if (url === null) {
    const embedded = await startEmbeddedPostgres({ dataDir: config.dataDir, logger });
    closers.add('embedded PostgreSQL', embedded.stop);
    url = embedded.url;
  }
  // A migration that is cut short leaves nothing behind.
  await orStop(applyMigrations(url, logger), stop);
  return url;
}

/** Opens the service itself. Returns its base URL, or null when the process is told to stop meanwhile. */
async function serve(
  url: string,
  config: Config,
  logger: Logger,
  stop: StopSignals,
  closers: Closers,
): Promise<string | null> {
  const db = openDatabase({
    url,
    poolSize: config.poolSize,
    onIdleError: (error) => logger.warn({ err: error }, 'an idle database connection broke'),
  });
  // A statement that hangs must not keep the process: the server ends it when the connection breaks.
  closers.add('database connections', () => Promise.race([db.close(), stop.insisted, delay(CLOSE_POOL_MS)]));

  const expiry = startExpiringAnswers({ db }, { hours: config.idempotencyHours, logger });
  closers.add('expiry of answers', expiry.stop);

  const retention = startRetention({ db }, { intervalMinutes: config.retentionIntervalMinutes, logger });
  closers.add('retention', retention.stop);

  const indexes = startBuildingIndexes({ db }, logger);
  closers.add('building of indexes', indexes.stop);

  const { drain, begin } = createDrain();
  const context = createContext(db, {
    maxRecordBytes: config.maxRecordBytes,
    cacheMaxBytes: config.cacheMaxBytes,
    webhooks: { allow: config.webhookAllow },
  });
  const listener = startListening(db, context.heads, (error) =>
    logger.warn({ err: error }, 'nothing tells of commits for a moment; the head is asked for instead'),
  );
  closers.add('listener', listener.stop);
  const app = await buildApp({ context, config, logger, drain });
  const schedules = startCommittingScheduled(context, logger);
  closers.add('schedules', schedules.stop);
  const webhooks = startDeliveringWebhooks(context, logger);
  closers.add('webhooks', webhooks.stop);
  const deliveries = startExpiringDeliveries({ db }, logger);
  closers.add('expiry of deliveries', deliveries.stop);
  closeConnectionsWhenDraining(app.server, drain);
  closers.add('HTTP server', async () => {
    begin();
    const timeout = delay(config.shutdownTimeoutSeconds * 1000, undefined, { ref: false });
    if (!(await closeApp(app, Promise.race([timeout, stop.insisted])))) {
      logger.warn('requests were still in flight and have been cut off');
    }
  });
  return stop.isRequested() ? null : await listen(app, config);
}

async function orStop(work: Promise<unknown>, stop: StopSignals): Promise<void> {
  // When the stop comes first nobody waits for the work any more, nor for how it fails.
  work.catch(() => {});
  await Promise.race([work, stop.requested]);
}
