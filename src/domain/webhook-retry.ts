/** Between two attempts at one event, in milliseconds. */
export interface RetryBounds {
  firstMs: number;
  mostMs: number;
}

export const retryBounds: RetryBounds = { firstMs: 5_000, mostMs: 3_600_000 };

/**
 * How long to wait after so many attempts that failed: twice as long each time, shortened by up to a quarter so that
 * many endpoints of one receiver do not come back in step. What the receiver asked for counts where it is longer.
 *
 * @param random from 0 to below 1
 */
export function computeRetryMs(
  attempts: number,
  options: { bounds: RetryBounds; retryAfterMs: number | null; random: number },
): number {
  const { bounds, retryAfterMs, random } = options;
  const wholeMs = Math.min(bounds.firstMs * 2 ** (attempts - 1), bounds.mostMs);
  const ownMs = Math.max(bounds.firstMs, wholeMs * (1 - random / 4));
  return Math.round(Math.min(Math.max(ownMs, retryAfterMs ?? 0), bounds.mostMs));
}

/** `Retry-After` in milliseconds from `now`: seconds or a date (RFC 9110, section 10.2.3). Null for what is neither. */
export function parseRetryAfter(text: string | undefined, now: Date): number | null {
  if (text === undefined) return null;
  if (/^\s*\d{1,9}\s*$/.test(text)) return Number(text) * 1_000;
  const at = /^[A-Z][a-z]{2}/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(at) ? null : Math.max(0, at - now.getTime());
}
