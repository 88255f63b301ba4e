import type { Definition } from '../collection.js';
import { effectivePolicy } from '../retention.js';

/**
 * Which members of a new definition take away what protects a collection from a single person: fewer approvals,
 * or another retention, by which old versions may go. Pointers into the definition.
 */
export function findLoosened(present: Definition, next: Definition): string[] {
  const fewer = (next.approvals?.required ?? 0) < (present.approvals?.required ?? 0);
  const [before, after] = [effectivePolicy(present).policy, effectivePolicy(next).policy];
  const other = JSON.stringify(before) !== JSON.stringify(after);
  return [...(fewer ? ['/approvals/required'] : []), ...(other ? ['/retention'] : [])];
}
