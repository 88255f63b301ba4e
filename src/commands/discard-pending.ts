import type { Precondition } from '../domain/precondition.js';
import type { Context } from './context.js';
import type { PendingAddress } from './steps/lock-pending.js';

/** Throws the pending version away. Nothing that readers see changes. */
export async function discardPending(
  context: Context,
  input: PendingAddress & { precondition: Precondition },
): Promise<{ revision: number }> {
  return await context.staging.discard(input);
}
