import { DiptychError } from '../domain/errors.js';
import type { QueryContext } from './context.js';

const patienceMs = 2_000;

/** Waits until this instance can answer from a state at least as new as `minRevision`. */
export async function awaitRevision({ reads, heads }: QueryContext, minRevision: number): Promise<void> {
  // Nothing is asked about a revision that has been seen: no later read shows less.
  if (reads.cache.revision >= minRevision || (await reads.fence.cover()).head >= minRevision) return;
  if ((await heads.waitAbove(minRevision - 1, { timeoutMs: patienceMs })) !== undefined) return;
  const { head } = await reads.fence.cover();
  throw new DiptychError(
    'revision-not-reached',
    `Revision ${minRevision} did not arrive within ${patienceMs / 1000} s.`,
    { retryAfterSeconds: 1, extensions: { head } },
  );
}
