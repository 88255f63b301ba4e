import { expect, test } from 'vitest';
import { scheduleBody } from '../../src/http/schemas/changesets.js';

test('a schedule ends with the year 9999, in UTC', () => {
  expect(scheduleBody.safeParse({ commitAt: '9999-12-31T23:59:59.999Z' }).success).toBe(true);
  expect(scheduleBody.safeParse({ commitAt: '9999-12-31T23:59:59.999-00:01' }).success).toBe(false);
});
