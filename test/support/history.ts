/** A value of a record as it was read or written; null where there is none. */
export type Value = string | null;

/** A read: what it may not fall behind, and what it showed. */
interface ReadEvent {
  /** The newest revision that had been acknowledged, or shown by any read that had ended, when it began. */
  floor: number;
  endedAt: number;
  /** The revision that it says it shows. */
  revision: number;
  /** Whether it asked for that revision, and not for the newest. */
  isPast: boolean;
  shown: Map<string, Value>;
}

/** A commit that was acknowledged. */
interface CommitEvent {
  beganAt: number;
  writes: Map<string, Value>;
}

/**
 * What clients did and saw, in the order of one clock. Every commit has a revision and every read names the one that
 * it shows, so it need not be searched whether there is an order that explains everything: there is only one that
 * can, and it is held against what was seen.
 */
export class History {
  readonly #absences: { floor: number; endedAt: number; key: string }[] = [];
  readonly #commits = new Map<number, CommitEvent>();
  readonly #reads: ReadEvent[] = [];
  #now = 0;
  #floor = 0;

  /** Notes that a commit begins. To be ended with what it answers. */
  beginCommit(writes: Map<string, Value>): {
    acknowledge: (revision: number) => void;
    note: (revision: number) => void;
  } {
    const beganAt = this.#tick();
    const note = (revision: number) => this.#commits.set(revision, { beganAt, writes });
    const acknowledge = (revision: number) => {
      this.#tick();
      this.#floor = Math.max(this.#floor, revision);
    };
    return { acknowledge, note };
  }

  /** The newest revision that anybody has been told of. */
  get floor(): number {
    return this.#floor;
  }

  /** Notes that a read begins. To be ended with what it shows, or with the record that it did not find. */
  beginRead(): {
    end: (revision: number, shown: Map<string, Value>, options?: { isPast: boolean }) => void;
    endAbsent: (key: string) => void;
  } {
    const floor = this.#floor;
    this.#tick();
    return {
      end: (revision, shown, { isPast } = { isPast: false }) => {
        this.#reads.push({ floor, endedAt: this.#tick(), revision, isPast, shown });
        if (!isPast) this.#floor = Math.max(this.#floor, revision);
      },
      endAbsent: (key) => this.#absences.push({ floor, endedAt: this.#tick(), key }),
    };
  }

  #tick(): number {
    this.#now += 1;
    return this.#now;
  }

  get readCount(): number {
    return this.#reads.length;
  }

  /** What cannot be explained; empty when the history is linearizable. */
  violations(): string[] {
    const states = this.#states();
    const absences = this.#absences.flatMap(({ floor, endedAt, key }) => {
      // A refusal does not say as of which revision it is: any will do that may have been shown.
      const later = [...this.#commits].filter(
        ([revision, { beganAt }]) => revision > floor && beganAt < endedAt,
      );
      const isExplained = [floor, ...later.map(([revision]) => revision)].some(
        (at) => states(key, at) === null,
      );
      return isExplained ? [] : [`does not find ${key}, which has been there since ${floor}`];
    });
    const reads = this.#reads.flatMap((read) => {
      const { floor, endedAt, revision, isPast, shown } = read;
      const found: string[] = [];
      if (!isPast && revision < floor)
        found.push(`shows ${revision}, and ${floor} had been seen before it began`);
      const commit = this.#commits.get(revision);
      if (commit && commit.beganAt > endedAt) found.push(`shows ${revision} before that commit began`);
      for (const [key, value] of shown) {
        const expected = states(key, revision);
        if (value !== expected)
          found.push(`shows ${key} = ${value} at ${revision}, where it was ${expected}`);
      }
      return found;
    });
    return [...absences, ...reads];
  }

  /** The value of a record at a revision. */
  #states(): (key: string, revision: number) => Value {
    const writes = new Map<string, { revision: number; value: Value }[]>();
    for (const revision of [...this.#commits.keys()].sort((a, b) => a - b)) {
      for (const [key, value] of this.#commits.get(revision)?.writes ?? []) {
        writes.set(key, [...(writes.get(key) ?? []), { revision, value }]);
      }
    }
    return (key, revision) => writes.get(key)?.findLast((write) => write.revision <= revision)?.value ?? null;
  }
}
