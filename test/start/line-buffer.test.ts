import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { LineBuffer } from '../../src/start/line-buffer.js';

let pieces: string[];
let lines: LineBuffer;

beforeEach(() => {
  vi.useFakeTimers();
  pieces = [];
  const destination = { write: (text: string) => pieces.push(text), flushSync: () => pieces.push('flushed') };
  lines = new LineBuffer(destination, { pieceBytes: 10, delayMs: 5 });
});
afterEach(() => {
  vi.useRealTimers();
});

test('lines that come within the delay are handed on together, in their order', () => {
  lines.write('one\n');
  vi.advanceTimersByTime(4);
  lines.write('two\n');
  expect(pieces).toEqual([]);
  vi.advanceTimersByTime(1);
  expect(pieces).toEqual(['one\ntwo\n']);
  vi.advanceTimersByTime(10);
  lines.write('three\n');
  vi.advanceTimersByTime(5);
  expect(pieces).toEqual(['one\ntwo\n', 'three\n']);
  expect(vi.getTimerCount()).toBe(0);
});

test('a piece has whole lines, and no more bytes than it may have unless one line has', () => {
  for (const line of ['12345678\n', 'é\n', 'ééé\n', '€\n', 'longer than a piece\n', 'x\n']) lines.write(line);
  vi.advanceTimersByTime(5);
  expect(pieces).toEqual(['12345678\n', 'é\nééé\n', '€\n', 'longer than a piece\n', 'x\n']);
});

test('all that is there is out once it has been flushed', () => {
  lines.write('one\n');
  lines.flushSync();
  expect(pieces).toEqual(['one\n', 'flushed']);
  vi.advanceTimersByTime(5);
  expect(pieces).toEqual(['one\n', 'flushed']);
});
