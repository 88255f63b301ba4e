import type { RetentionDecision, RetentionFacts, RetentionPolicy, RetentionReason } from './retention.js';

/** What retention means in a collection, and a page of its versions. */
export interface RetentionView {
  collection: string;
  policy: RetentionPolicy;
  /** Whether the definition says nothing about retention. */
  isDefault: boolean;
  /** From which revision on reads of the past are whole. */
  horizon: number;
  /** The run under way (or interrupted: `finishedAt` null), or the last; null when there was none. */
  run: { startedAt: string; finishedAt: string | null; archived: number; deleted: number } | null;
  items: ExplainedVersion[];
  next: string | null;
}

/** What becomes of one version, and why. */
export interface ExplainedVersion {
  key: string;
  version: number;
  data: RetentionFacts['data'];
  outcome: RetentionDecision['outcome'];
  reasons: RetentionReason[];
  /** When it ceased to be current, for the last time. */
  supersededAt: string | null;
  /** When it will go, if nothing but its age keeps it. */
  expiresAt: string | null;
}

export function toExplainedVersion(
  facts: RetentionFacts & { key: string },
  { outcome, reasons, expiresAt }: RetentionDecision,
): ExplainedVersion {
  return {
    key: facts.key,
    version: facts.number,
    data: facts.data,
    outcome,
    reasons,
    supersededAt: facts.supersededAt?.toISOString() ?? null,
    expiresAt: expiresAt?.toISOString() ?? null,
  };
}
