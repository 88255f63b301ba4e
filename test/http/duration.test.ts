import Fastify from 'fastify';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { limitDuration } from '../../src/http/plugins/duration.js';
import { answerProblems } from '../../src/http/plugins/problems.js';

const TIMEOUT_MS = 50;

describe('a request that is worked on for too long', () => {
  let app: ReturnType<typeof Fastify>;
  let end: () => void;

  beforeEach(() => {
    app = Fastify();
    answerProblems(app);
    limitDuration(app, TIMEOUT_MS);
    const work = new Promise<string>((resolve) => {
      end = () => resolve('done');
    });
    app.get('/slow', () => work);
    app.post('/stream', { config: { streamed: true } }, () => work);
    app.get('/quick', async () => 'done');
  });
  afterEach(() => app.close());

  test('is answered with 503 and the word that its outcome is open', async () => {
    const answer = await app.inject('/slow');
    expect(answer.statusCode).toBe(503);
    expect(answer.headers['retry-after']).toBe('1');
    expect(answer.json()).toMatchObject({ code: 'not-ready', detail: expect.stringContaining('is open') });
    // What it comes to after all is nobody's answer, and breaks nothing.
    end();
    expect((await app.inject('/quick')).body).toBe('done');
  });

  test('may take as long as it likes when its body is a stream', async () => {
    const answer = app.inject({ method: 'POST', url: '/stream' });
    // Once the other one is over, so is the time that this one would have had.
    expect((await app.inject('/slow')).statusCode).toBe(503);
    end();
    expect((await answer).body).toBe('done');
  });
});
