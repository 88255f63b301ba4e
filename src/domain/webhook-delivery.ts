import type { Position } from './feed-page.js';
import type { DeliveryError, PauseReason } from './webhook.js';
import { computeRetryMs, type RetryBounds } from './webhook-retry.js';

/** One attempt, as it went. */
export interface SentEvent {
  eventId: string;
  at: Date;
  durationMs: number;
  /** What the receiver answered; null when it did not. */
  status: number | null;
  /** Why there was no answer. */
  failure: { code: string; message: string } | null;
  /** How long the receiver wants to be left alone. */
  retryAfterMs: number | null;
}

/** An attempt in the log. */
export interface LoggedAttempt {
  eventId: string;
  attempt: number;
  at: Date;
  status: number | null;
  error: string | null;
  durationMs: number;
}

/** What becomes of an endpoint, in the turn in which it was looked at. */
export interface Settlement {
  webhookId: string;
  turn: number;
  /** Up to here all has been delivered or passed over; null: as far as before. */
  position: Position | null;
  failures: number;
  error: DeliveryError | null;
  /** Until the next attempt; null: none is waited for. */
  retryMs: number | null;
  /** Null: it goes on. */
  paused: PauseReason | null;
  attempt: LoggedAttempt | null;
}

const isTaken = (status: number | null) => status !== null && status >= 200 && status < 300;

/** The receiver wants no more of it, ever (RFC 9110, section 15.5.11). */
const gone = 410;

/**
 * What becomes of an endpoint after an attempt.
 *
 * @param state.failures of the attempts before at the same event
 * @param state.position once the event is delivered
 */
export function settleAttempt(
  sent: SentEvent,
  state: { webhookId: string; turn: number; failures: number; position: Position },
  retry: { bounds: RetryBounds; random: number },
): Settlement {
  const { webhookId, turn, failures, position } = state;
  const error = errorOf(sent);
  const attempt: LoggedAttempt = {
    eventId: sent.eventId,
    attempt: failures + 1,
    at: sent.at,
    status: sent.status,
    error: error?.code ?? null,
    durationMs: sent.durationMs,
  };
  const base = { webhookId, turn, attempt };
  if (error === null) return { ...base, position, failures: 0, error: null, retryMs: null, paused: null };
  const failed = { ...base, position: null, failures: failures + 1, error };
  if (sent.status === gone) return { ...failed, retryMs: null, paused: 'gone' };
  const { retryAfterMs } = sent;
  return { ...failed, retryMs: computeRetryMs(failed.failures, { ...retry, retryAfterMs }), paused: null };
}

/** What went wrong with an attempt; null when the receiver took the event. */
export function errorOf({ status, failure, at }: SentEvent): DeliveryError | null {
  if (isTaken(status)) return null;
  if (status === null && failure !== null) return { ...failure, status, at: at.toISOString() };
  const isRedirect = status !== null && status >= 300 && status < 400;
  const message = `The receiver answered ${status}${isRedirect ? '; redirects are not followed' : ''}.`;
  return { code: `status-${status}`, message, status, at: at.toISOString() };
}
