import { createHash } from 'node:crypto';
import { expect, onTestFinished, test, vi } from 'vitest';
import { changesetDigest } from '../../src/domain/changeset.js';

const member = (key: string) => ({ collection: 'a', key, operation: 'upsert' as const, digest: '00' });
const line = (key: string) => `{"collection":"a","digest":"00","key":"${key}","operation":"upsert"}\n`;

test('the digest of a changeset is that of its lines by key, in UTF-16 code units', async () => {
  // In UTF-8 the last two would change places.
  const keys = ['a', 'b', '\u{1F600}', '\uFF21'];
  const expected = createHash('sha256').update(keys.map(line).join('')).digest('hex');
  expect(await changesetDigest(keys.toReversed().map(member))).toBe(expected);
});

test('others have their turn while the digest of a changeset is made', async () => {
  let now = 0;
  const clock = vi.spyOn(performance, 'now').mockImplementation(() => {
    now += 21;
    return now;
  });
  onTestFinished(() => clock.mockRestore());
  let served = false;
  setImmediate(() => {
    served = true;
  });
  await changesetDigest([member('a'), member('b')]);
  expect(served).toBe(true);
});
