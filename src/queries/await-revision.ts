import { DiptychError } from '../domain/errors.js';
import { findHead } from '../store/head.js';
import type { QueryContext } from './context.js';

const patienceMs = 2_000;

/** Waits until this instance can answer from a state at least as new as `minRevision`. */
export async function awaitRevision(context: QueryContext, minRevision: number): Promise<void> {
  const head = await findHead(context.db);
  if (head.revision >= minRevision) return;
  if ((await context.heads.waitAbove(minRevision - 1, { timeoutMs: patienceMs })) !== undefined) return;
  throw new DiptychError(
    'revision-not-reached',
    `Revision ${minRevision} did not arrive within ${patienceMs / 1000} s.`,
    {
      retryAfterSeconds: 1,
      extensions: { head: (await findHead(context.db)).revision },
    },
  );
}
