import { setMaxListeners } from 'node:events';
import { DiptychError } from '../domain/errors.js';
import type { Settlement } from '../domain/webhook-delivery.js';
import { GroupQueue } from '../lib/group-queue.js';
import type { Session } from '../store/db.js';
import { isSenderWanted, settleWebhooks, signOfLife, withSender } from '../store/webhook-sender.js';
import type { Context } from './context.js';

/** What the one instance that sends has in hand. */
export interface WebhookLead {
  /** Ends when no further event is to be begun. */
  signal: AbortSignal;
  /** Ends when what is under way is to be given up as well: nothing that comes of it can be written. */
  lost: AbortSignal;
  /**
   * Writes what became of an endpoint; false when that counts no more, because it was moved or removed meanwhile.
   * Two settlements of one endpoint must not be under way together.
   */
  settle: (settlement: Settlement) => Promise<boolean>;
}

/** Far more often than the server ends a session for its silence. */
const beatMs = 3_000;

/**
 * Does `work` as the one instance that sends webhooks. The lock is the session's, and everything is written on that
 * session: with the session the server takes the lock away and whatever would still be written, so that another
 * instance can begin at once, and who has lost the lead without noticing moves nothing.
 *
 * @returns false when another instance leads, or there is nothing to send to
 */
export async function leadWebhooks(
  context: Pick<Context, 'db' | 'webhooks'>,
  signal: AbortSignal,
  work: (lead: WebhookLead) => Promise<void>,
): Promise<boolean> {
  if (!(await isSenderWanted(context.db))) return false;
  const hasLed = await withSender(context.db, async (session) => {
    const lost = new AbortController();
    const settlements = settlementQueue(session);
    const write = (settlement: Settlement | null) =>
      settlements.submit(settlement).catch((error: unknown) => {
        // What the database could not take at all; anything else is about this one endpoint.
        if (error instanceof DiptychError) lost.abort();
        throw error;
      });
    const beat = setInterval(() => void write(null).catch(() => {}), beatMs);
    const giveUpLater = () => setTimeout(() => lost.abort(), context.webhooks.stopGraceMs).unref();
    signal.addEventListener('abort', giveUpLater);
    const ending = AbortSignal.any([signal, lost.signal]);
    // Each endpoint listens; any number of them is right.
    setMaxListeners(0, ending, lost.signal);
    try {
      await work({ signal: ending, lost: lost.signal, settle: write });
    } finally {
      signal.removeEventListener('abort', giveUpLater);
      clearInterval(beat);
    }
    return true;
  });
  return hasLed ?? false;
}

/** Settlements that come while others are being written go together in the next transaction. Null: a sign of life. */
function settlementQueue(session: Session): GroupQueue<Settlement | null, boolean> {
  return new GroupQueue({
    run: async (group) => {
      const settlements = group.filter((each) => each !== null);
      const counted = await session.transaction((tx) =>
        settlements.length === 0 ? signOfLife(tx) : settleWebhooks(tx, settlements),
      );
      return group.map((each) => each === null || counted.has(each.webhookId));
    },
    nameOf: (settlement) => settlement?.webhookId ?? '',
    weightOf: () => 1,
    maxWeight: 256,
    maxGroup: 256,
    lanes: 1,
    maxWaiting: 10_000,
    maxWaitingWeight: 10_000,
    refuse: () => new DiptychError('not-ready', 'Too many deliveries wait to be written.'),
    isShared: (error) => error instanceof DiptychError,
  });
}
