import { setMaxListeners } from 'node:events';
import { DiptychError } from '../domain/errors.js';
import { type ActiveWebhook, isSenderWanted, withSender } from '../store/webhook-sender.js';
import type { Context } from './context.js';
import { type LeadSession, openLeadSession } from './steps/lead-session.js';

export type { ActiveWebhook };

/** What the one instance that sends has in hand. What it asks or writes ends the lead where the database cannot take it. */
export interface WebhookLead extends Omit<LeadSession, 'beat'> {
  /** Ends when no further event is to be begun. */
  signal: AbortSignal;
  /** Ends when what is under way is to be given up as well: nothing that comes of it can be written. */
  lost: AbortSignal;
}

/**
 * Does `work` as the one instance that sends webhooks. The lock is the session's, and everything is asked and written
 * on that session: with the session the server takes the lock away and whatever would still be written, so that
 * another instance can begin at once, and who has lost the lead without noticing begins and moves nothing.
 *
 * @returns false when another instance leads, or there is nothing to send to
 */
export async function leadWebhooks(
  { db, webhooks }: Pick<Context, 'db' | 'webhooks'>,
  signal: AbortSignal,
  work: (lead: WebhookLead) => Promise<void>,
): Promise<boolean> {
  if (!(await isSenderWanted(db))) return false;
  const hasLed = await withSender(db, async (session) => {
    const { listWebhooks, findReceiver, settle, beat } = openLeadSession(session);
    const lost = new AbortController();
    const orLost =
      <Args extends unknown[], T>(ask: (...args: Args) => Promise<T>) =>
      (...args: Args) =>
        ask(...args).catch((error: unknown) => {
          // What the database could not take at all; anything else is about one endpoint.
          if (error instanceof DiptychError) lost.abort();
          throw error;
        });
    const giveUp = () => {
      lost.abort();
      // The kernel would wait for many minutes for a server that cannot be reached.
      session.abandon();
    };
    const beatInTime = async () => {
      const late = setTimeout(giveUp, webhooks.beatAnswerMs);
      await orLost(beat)().catch(() => {});
      clearTimeout(late);
    };
    const beats = setInterval(() => void beatInTime(), webhooks.beatMs);
    const giveUpLater = () => setTimeout(() => lost.abort(), webhooks.stopGraceMs).unref();
    signal.addEventListener('abort', giveUpLater);
    const ending = AbortSignal.any([signal, lost.signal]);
    // Each endpoint listens; any number of them is right.
    setMaxListeners(0, ending, lost.signal);
    try {
      await work({
        signal: ending,
        lost: lost.signal,
        listWebhooks: orLost(listWebhooks),
        findReceiver: orLost(findReceiver),
        settle: orLost(settle),
      });
    } finally {
      signal.removeEventListener('abort', giveUpLater);
      clearInterval(beats);
      // What remains to be said to the server waits no longer than this.
      await beatInTime();
    }
    return true;
  });
  return hasLed ?? false;
}
