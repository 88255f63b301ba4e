import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Deadlines } from '../../src/http/deadlines.js';

const TIMEOUT_MS = 60_000;

let over: Set<string>;
let ended: string[];
let deadlines: Deadlines<string>;

beforeEach(() => {
  vi.useFakeTimers();
  over = new Set();
  ended = [];
  deadlines = new Deadlines({
    timeoutMs: TIMEOUT_MS,
    isOver: (item) => over.has(item),
    end: (item) => ended.push(item),
  });
});
afterEach(() => {
  vi.useRealTimers();
});

test('what lasts too long is ended, once, and nothing else', () => {
  deadlines.begin('first');
  vi.advanceTimersByTime(TIMEOUT_MS / 2);
  for (const item of ['second', 'settled', 'over']) deadlines.begin(item);
  deadlines.settle('settled');
  over.add('over');
  vi.advanceTimersByTime(TIMEOUT_MS / 2 - 1);
  expect(ended).toEqual([]);
  vi.advanceTimersByTime(1_001);
  expect(ended).toEqual(['first']);
  vi.advanceTimersByTime(TIMEOUT_MS);
  expect(ended).toEqual(['first', 'second']);
});

test('what begins anew has all the time again', () => {
  deadlines.begin('item');
  vi.advanceTimersByTime(TIMEOUT_MS - 1_000);
  deadlines.begin('item');
  vi.advanceTimersByTime(TIMEOUT_MS - 1_000);
  expect(ended).toEqual([]);
  vi.advanceTimersByTime(2_000);
  expect(ended).toEqual(['item']);
});

test('there is a timer only while there is something to look at, be it over without a word', () => {
  expect(vi.getTimerCount()).toBe(0);
  for (const item of ['settled', 'over']) deadlines.begin(item);
  expect(vi.getTimerCount()).toBe(1);
  deadlines.settle('settled');
  over.add('over');
  vi.advanceTimersByTime(1_000);
  expect(vi.getTimerCount()).toBe(0);
  deadlines.begin('third');
  vi.advanceTimersByTime(TIMEOUT_MS + 1_000);
  expect(ended).toEqual(['third']);
  expect(vi.getTimerCount()).toBe(0);
});
