import { describe, expect, test } from 'vitest';
import { computeRetryMs, parseRetryAfter, retryBounds } from '../../src/domain/webhook-retry.js';

const waitAfter = (attempts: number, random = 0, retryAfterMs: number | null = null) =>
  computeRetryMs(attempts, { bounds: retryBounds, retryAfterMs, random });

describe('the wait after an attempt', () => {
  test('is doubled from five seconds to an hour', () => {
    expect([1, 2, 3, 4].map((attempts) => waitAfter(attempts))).toEqual([5_000, 10_000, 20_000, 40_000]);
    expect(waitAfter(10)).toBe(2_560_000);
    for (const attempts of [11, 100, 2_000]) expect(waitAfter(attempts)).toBe(3_600_000);
  });

  test('is shortened at random by a quarter at most, and never below the first', () => {
    expect(waitAfter(4, 0.999)).toBeGreaterThanOrEqual(30_000);
    expect(waitAfter(4, 0.5)).toBe(35_000);
    expect(waitAfter(1, 0.999)).toBe(5_000);
  });

  test('is what the receiver asked for, where that is longer, and an hour at most', () => {
    expect(waitAfter(1, 0, 60_000)).toBe(60_000);
    expect(waitAfter(1, 0, 0)).toBe(5_000);
    expect(waitAfter(1, 0, 86_400_000)).toBe(3_600_000);
  });
});

describe('Retry-After', () => {
  const now = new Date('2026-11-22T10:00:00.000Z');
  test.each([
    ['120', 120_000],
    [' 0 ', 0],
    ['Sun, 22 Nov 2026 10:00:30 GMT', 30_000],
    ['Sun, 22 Nov 2026 09:00:00 GMT', 0],
    ['soon', null],
    ['-1', null],
    ['1e9', null],
    ['12345678901234567890', null],
    ['', null],
    [undefined, null],
  ])('%j is %j ms', (text, ms) => {
    expect(parseRetryAfter(text, now)).toBe(ms);
  });
});
