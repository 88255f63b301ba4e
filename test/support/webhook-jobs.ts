import { pino } from 'pino';
import { onTestFinished } from 'vitest';
import { commitChanges } from '../../src/commands/commit-changes.js';
import type { Context, WebhookSettings } from '../../src/commands/context.js';
import { createWebhook } from '../../src/commands/create-webhook.js';
import { putCollection } from '../../src/commands/put-collection.js';
import type { Definition } from '../../src/domain/collection.js';
import type { WebhookContent, WebhookView } from '../../src/domain/webhook.js';
import { nothingAllowed, parseAllowList } from '../../src/domain/webhook-address.js';
import { startDeliveringWebhooks } from '../../src/jobs/deliver-webhooks.js';
import type { JsonObject } from '../../src/lib/json-value.js';
import { getWebhook } from '../../src/queries/get-webhook.js';
import { ann, createInstances } from './context.js';

export const things = 'things';

/** Retries come at once, so that nobody waits for them. */
export const hasty: Partial<WebhookSettings> = {
  allow: parseAllowList('127.0.0.1') ?? nothingAllowed,
  retry: { firstMs: 1, mostMs: 5 },
  stopGraceMs: 100,
};

/** Instances of the service with a collection; none of them sends yet. */
export async function instancesWithThings(
  count: number,
  webhooks: Partial<WebhookSettings> = {},
  definition: Definition = {},
): Promise<Context[]> {
  const contexts = await createInstances(count, { poolSize: 6, webhooks: { ...hasty, ...webhooks } });
  for (const context of contexts.slice(0, 1)) await define(context, things, definition);
  return contexts;
}

export const define = (context: Context, collection: string, definition: Definition = {}) =>
  putCollection(context, { collection, definition, precondition: {}, actor: ann });

/** Commits one record and answers the revision. */
export async function commit(
  context: Context,
  key: string,
  data: JsonObject,
  collection = things,
): Promise<number> {
  const changes = [{ collection, key, operation: 'put' as const, data }];
  return (await commitChanges(context, { changes, dryRun: false, actor: ann })).result.revision;
}

/** Commits so many revisions, of one record each, and answers the ids of their events. */
export async function commitMany(context: Context, count: number, from = 0): Promise<string[]> {
  const ids: string[] = [];
  for (let n = from; n < from + count; n += 1) ids.push(`evt_${await commit(context, `k${n % 7}`, { n })}_1`);
  return ids;
}

/** A webhook of everything that is new. */
export async function hook(
  context: Context,
  url: string,
  content: Partial<WebhookContent> & { after?: number } = {},
) {
  const defaults = { description: null, collection: null, keyPrefix: null };
  const { webhook, secret } = await createWebhook(context, { ...defaults, url, ...content, actor: ann });
  const view = async () => (await getWebhook(context, { id: webhook.id })).webhook;
  return { id: webhook.id, secret, view };
}

export const silent = pino({ level: 'silent' });

/** Starts the job of an instance; it ends with the test. */
export function startSending(
  context: Context,
  logger = silent,
  { intervalMs = 5 } = {},
): { stop: () => Promise<void> } {
  const job = startDeliveringWebhooks(context, logger, { intervalMs });
  onTestFinished(() => job.stop());
  return job;
}

/** Asks for a webhook until it is as wanted, and answers it. */
export async function untilView(
  view: () => Promise<WebhookView>,
  holds: (view: WebhookView) => boolean,
): Promise<WebhookView> {
  for (;;) {
    const found = await view();
    if (holds(found)) return found;
  }
}

export const isDone = ({ lag, failures }: WebhookView) => lag === 0 && failures === 0;
