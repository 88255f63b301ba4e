import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Context } from '../commands/context.js';
import { type ActiveWebhook, leadWebhooks, type WebhookLead } from '../commands/lead-webhooks.js';
import { Gate } from '../lib/gate.js';
import { type Job, repeat } from './repeat.js';
import { type LaneOptions, WebhookLane } from './webhook-lane.js';

const operation = 'deliverWebhooks';

/** How often an instance asks for the lead, and the one that has it for what owners have changed. */
const intervalMs = 500;

/** Pages of the feed that are read at once, for all endpoints. */
const readingPlaces = 2;
const maxReadingWaitMs = 60_000;

/**
 * Sends the events of webhooks. Every instance tries; one does it, and when it ends, however that is, another goes on
 * where it stopped.
 */
export function startDeliveringWebhooks(
  context: Context,
  logger: Logger,
  options: { intervalMs?: number } = {},
): Job {
  const restMs = options.intervalMs ?? intervalMs;
  return repeat(restMs, async (signal) => {
    try {
      await leadWebhooks(context, signal, (lead) => runLanes(context, lead, logger, restMs));
    } catch (error) {
      logger.warn({ operation, err: error }, 'webhooks have to wait');
    }
    return restMs;
  });
}

/** A lane for each endpoint that is not paused, until there are none, or the lead ends. */
async function runLanes(context: Context, lead: WebhookLead, logger: Logger, restMs: number): Promise<void> {
  const refuse = () => new Error('no page of the feed could be read in time');
  const gate = new Gate(readingPlaces, { maxWaitMs: maxReadingWaitMs, refuse });
  const options: LaneOptions = { context, lead, logger, inTurn: (read) => gate.run(read) };
  const lanes = new Map<string, WebhookLane>();
  logger.info({ operation }, 'this instance sends the webhooks');
  while (!lead.signal.aborted) {
    const webhooks = await lead.listWebhooks().catch((error: unknown) => {
      logger.warn({ operation, err: error }, 'could not look for changed webhooks');
    });
    if (webhooks) follow(lanes, webhooks, options);
    if (lanes.size === 0) return;
    await delay(restMs, undefined, { signal: lead.signal, ref: false }).catch(() => {});
  }
  // What still reads when the lead is lost comes to nothing, however long the database keeps it.
  await Promise.race([
    Promise.all([...lanes.values()].map((lane) => lane.ended)),
    afterLoss(lead.lost, context.webhooks.stopGraceMs),
  ]);
  if (lead.lost.aborted) logger.warn({ operation }, 'this instance sends the webhooks no longer');
}

async function afterLoss(lost: AbortSignal, graceMs: number): Promise<void> {
  if (!lost.aborted) await once(lost, 'abort');
  await delay(graceMs, undefined, { ref: false });
}

function follow(lanes: Map<string, WebhookLane>, webhooks: ActiveWebhook[], options: LaneOptions): void {
  const active = new Map(webhooks.map((webhook) => [webhook.id, webhook]));
  for (const [id, lane] of lanes) {
    const webhook = active.get(id);
    if (webhook === undefined) lane.end();
    else lane.follow(webhook);
  }
  for (const webhook of webhooks) {
    // One that ends has its place until it has: never are two under way for one endpoint.
    if (lanes.has(webhook.id)) continue;
    const lane = new WebhookLane(webhook, options);
    lanes.set(webhook.id, lane);
    void lane.ended.then(() => lanes.delete(webhook.id));
  }
}
