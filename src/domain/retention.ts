import type { Definition } from './collection.js';

/** How long old versions are kept. A limit that is null protects nothing. */
export interface RetentionPolicy {
  keepVersions: number | null;
  keepDays: number | null;
  onExpire: 'archive' | 'delete';
}

/** Where a definition sets no limit. */
const defaultLimits = { keepVersions: 100, keepDays: 90 };

const dayMs = 24 * 60 * 60 * 1_000;

/**
 * The policy in force. A definition that sets a limit means only the limits that it sets; one that sets none
 * gets both defaults, so that nothing grows for ever and nothing goes that nobody decided about.
 */
export function effectivePolicy({ retention = {} }: Definition): {
  policy: RetentionPolicy;
  isDefault: boolean;
} {
  const { keepVersions = null, keepDays = null, onExpire = 'archive' } = retention;
  const limits = keepVersions === null && keepDays === null ? defaultLimits : { keepVersions, keepDays };
  return { policy: { ...limits, onExpire }, isDefault: Object.keys(retention).length === 0 };
}

/** What the decision about a committed version looks at. */
export interface RetentionFacts {
  number: number;
  /** The highest number of its record. */
  lastNumber: number;
  /** Whether readers see it now. */
  current: boolean;
  /** Whether a pending version was started from it. */
  base: boolean;
  /** What is left of its data. */
  data: 'kept' | 'archived' | 'deleted';
  /** When it ceased to be current, for the last time; null when it never has. */
  supersededAt: Date | null;
}

/** Why a version stays as it is. */
export type RetentionReason = 'current' | 'base' | 'newest' | 'young' | 'archived' | 'deleted';

export interface RetentionDecision {
  outcome: 'keep' | 'archive' | 'delete';
  /** All that keeps it; none when it goes. */
  reasons: RetentionReason[];
  /** When it goes, as far as that is a matter of time alone; else null. */
  expiresAt: Date | null;
}

/** A version that ceased to be current at this time or before is not young any more; null: age does not matter. */
export function cutoffOf(policy: RetentionPolicy, now: Date): Date | null {
  return policy.keepDays === null ? null : new Date(now.getTime() - policy.keepDays * dayMs);
}

/** What becomes of one committed version at a moment, and why. */
export function decideRetention(
  policy: RetentionPolicy,
  facts: RetentionFacts,
  now: Date,
): RetentionDecision {
  if (facts.data === 'deleted') return { outcome: 'keep', reasons: ['deleted'], expiresAt: null };
  const reasons: RetentionReason[] = [];
  if (facts.data === 'archived' && policy.onExpire === 'archive') reasons.push('archived');
  if (facts.current) reasons.push('current');
  if (facts.base) reasons.push('base');
  if (policy.keepVersions !== null && facts.number > facts.lastNumber - policy.keepVersions)
    reasons.push('newest');
  if (isYoung(policy, facts, now)) reasons.push('young');
  if (reasons.length === 0) return { outcome: policy.onExpire, reasons, expiresAt: null };
  return { outcome: 'keep', reasons, expiresAt: expiryOf(policy, facts, reasons) };
}

function isYoung(policy: RetentionPolicy, { supersededAt }: RetentionFacts, now: Date): boolean {
  const cutoff = cutoffOf(policy, now);
  return cutoff !== null && (supersededAt === null || supersededAt > cutoff);
}

function expiryOf(
  { keepDays }: RetentionPolicy,
  { supersededAt }: RetentionFacts,
  reasons: RetentionReason[],
): Date | null {
  if (keepDays === null || supersededAt === null || reasons.length > 1 || reasons[0] !== 'young') return null;
  return new Date(supersededAt.getTime() + keepDays * dayMs);
}
