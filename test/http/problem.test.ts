import { describe, expect, test } from 'vitest';
import { DiptychError } from '../../src/domain/errors.js';
import { problemHeaders, toProblem } from '../../src/http/problem.js';

describe('a problem document', () => {
  test('has every member, and errors even when there are none', () => {
    expect(toProblem(new DiptychError('record-not-found', 'No.'), 'id-12345')).toEqual({
      type: '/problems/record-not-found',
      title: 'No such record',
      status: 404,
      detail: 'No.',
      code: 'record-not-found',
      instance: '/problems/record-not-found#id-12345',
      requestId: 'id-12345',
      errors: [],
    });
  });

  test('has the extensions of its refusal, which never stand in for its own members', () => {
    const extensions = { horizon: 7, status: 200, code: 'ok' };
    const problem = toProblem(new DiptychError('revision-compacted', 'No.', { extensions }), 'id-12345');
    expect(problem).toMatchObject({ horizon: 7, status: 410, code: 'revision-compacted' });
  });
});

describe('the headers of a refusal', () => {
  test('carry the present tag of a 428', () => {
    const refusal = new DiptychError('precondition-required', 'No.', { extensions: { etag: '"a"' } });
    expect(problemHeaders(refusal)).toMatchObject({ ETag: '"a"' });
  });

  test('say when to come back', () => {
    expect(problemHeaders(new DiptychError('not-ready', 'No.', { retryAfterSeconds: 5 }))).toMatchObject({
      'Retry-After': '5',
    });
    expect(problemHeaders(new DiptychError('outcome-unknown', 'No.'))).toMatchObject({ 'Retry-After': '1' });
    expect(problemHeaders(new DiptychError('record-not-found', 'No.'))).not.toHaveProperty('Retry-After');
  });

  test('say that an answer is a repeated one', () => {
    const refusal = new DiptychError('validation-failed', 'No.');
    refusal.replayed = true;
    expect(problemHeaders(refusal)).toMatchObject({ 'Idempotency-Replayed': 'true' });
  });
});
