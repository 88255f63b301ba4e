import type { RetentionPolicy } from '../../src/domain/retention.js';

/** A version as the model knows it. */
interface ModelVersion {
  n: number;
  state: 'kept' | 'archived' | 'deleted';
  /** The revision at which it ceased to be current, for the last time. */
  supersededAt: number | null;
}

interface ModelRecord {
  versions: ModelVersion[];
  /** Index into `versions`, from 0; null when not live. */
  current: number | null;
  /** The base of its pending version, where it has one. */
  bases: (number | null)[];
}

/**
 * What retention means, once more and in another way: over plain arrays, by revisions instead of times, with the
 * whole history at hand.
 */
export class RetentionModel {
  readonly records = new Map<string, ModelRecord>();
  /** What readers saw at each revision: of each key the value, or nothing. */
  readonly seen = new Map<number, Map<string, number>>();
  horizon = 0;

  record(key: string): ModelRecord {
    const record = this.records.get(key) ?? { versions: [], current: null, bases: [] };
    this.records.set(key, record);
    return record;
  }

  put(key: string, n: number, revision: number): void {
    const record = this.record(key);
    record.versions.push({ n, state: 'kept', supersededAt: null });
    this.#move(record, record.versions.length - 1, revision);
  }

  delete(key: string, revision: number): void {
    this.#move(this.record(key), null, revision);
  }

  rollback(key: string, index: number, revision: number): void {
    const record = this.record(key);
    const version = record.versions[index];
    if (version) version.state = 'kept';
    this.#move(record, index, revision);
  }

  #move(record: ModelRecord, to: number | null, revision: number): void {
    const before = record.current === null ? undefined : record.versions[record.current];
    if (before) before.supersededAt = revision;
    record.current = to;
    this.seen.set(revision, this.#state());
  }

  #state(): Map<string, number> {
    const state = new Map<string, number>();
    for (const [key, { versions, current }] of this.records) {
      const version = current === null ? undefined : versions[current];
      if (version) state.set(key, version.n);
    }
    return state;
  }

  /** @param cutoff what was replaced in this revision or before is not young; null: age protects nothing */
  retain(policy: RetentionPolicy, cutoff: number | null): void {
    for (const { versions, current, bases } of this.records.values()) {
      const newestFrom =
        policy.keepVersions === null ? versions.length : versions.length - policy.keepVersions;
      for (const [index, version] of versions.entries()) {
        const isReachable =
          index === current ||
          bases.includes(index) ||
          index >= newestFrom ||
          (cutoff !== null && (version.supersededAt ?? 0) > cutoff);
        const hasLess =
          policy.onExpire === 'archive' ? version.state !== 'kept' : version.state === 'deleted';
        if (isReachable || hasLess) continue;
        version.state = policy.onExpire === 'archive' ? 'archived' : 'deleted';
        this.horizon = Math.max(this.horizon, version.supersededAt ?? 0);
      }
    }
  }
}
