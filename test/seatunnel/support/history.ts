/** What a commit was answered with: `data` is what the caller had committed. */
export interface Committed {
  revision: number;
  kind: string;
  committedAt: string;
  changes: CommittedChange[];
}

export interface CommittedChange {
  collection: string;
  key: string;
  /** The numbers of the versions. */
  before: number | null;
  after: number | null;
}

/** A record as its readers see it. */
export interface Live {
  collection: string;
  key: string;
  version: number;
  revision: number;
  committedAt: string;
  data: object;
}

/** A row of the feed, as it has to arrive. */
export interface Row extends Live {
  kind: '+I' | '-U' | '+U' | '-D';
}

/**
 * What was committed, as those who committed it know it: from what they sent and from the answers, never from a read.
 */
export class History {
  readonly #commits: Committed[] = [];
  readonly #versions = new Map<string, object>();

  add(commit: Committed, dataOf: (change: CommittedChange) => object | undefined): void {
    this.#commits.push(commit);
    for (const change of commit.changes) {
      const data = dataOf(change);
      if (change.after !== null && data !== undefined) this.#versions.set(place(change, change.after), data);
    }
  }

  /** How many commits there are. */
  get size(): number {
    return this.#commits.length;
  }

  /** The revision of the last. */
  get last(): number {
    return Math.max(...this.#commits.map(({ revision }) => revision));
  }

  dataOf(record: { collection: string; key: string }, version: number): object {
    const data = this.#versions.get(place(record, version));
    if (data === undefined) throw new Error(`nobody committed version ${version} of ${record.key}`);
    return data;
  }

  /** All rows of the feed, in its order. */
  rows(): Row[] {
    return this.#ordered().flatMap((commit) =>
      commit.changes.flatMap((change) => this.#rowsOf(commit, change)),
    );
  }

  /** The records that are live at the end. */
  live(): Map<string, Live> {
    const live = new Map<string, Live>();
    for (const { kind, ...row } of this.rows()) {
      if (kind === '-D') live.delete(name(row));
      if (kind === '+I' || kind === '+U') live.set(name(row), row);
    }
    return live;
  }

  /** What there was to arrive, in figures. */
  summary(): string {
    const changes = this.#commits.flatMap((commit) => commit.changes);
    const inserts = changes.filter(({ before }) => before === null).length;
    const deletions = changes.filter(({ after }) => after === null).length;
    const several = this.#commits.filter((commit) => commit.changes.length > 1).length;
    const rollbacks = this.#commits.filter(({ kind }) => kind === 'rollback').length;
    const updates = changes.length - inserts - deletions;
    return `${this.size} commits, ${several} of several records, ${rollbacks} rollbacks; ${changes.length} changes: ${inserts} inserts, ${updates} updates, ${deletions} deletions; ${this.live().size} live records`;
  }

  #ordered(): Committed[] {
    return this.#commits.toSorted((one, other) => one.revision - other.revision);
  }

  #rowsOf({ revision, committedAt }: Committed, change: CommittedChange): Row[] {
    const { collection, key, before, after } = change;
    const row = (kind: Row['kind'], version: number): Row => {
      const data = this.dataOf(change, version);
      return { kind, collection, key, version, revision, committedAt, data };
    };
    return [
      ...(before === null ? [] : [row(after === null ? '-D' : '-U', before)]),
      ...(after === null ? [] : [row(before === null ? '+I' : '+U', after)]),
    ];
  }
}

export function name({ collection, key }: { collection: string; key: string }): string {
  return `${collection}/${key}`;
}

function place(record: { collection: string; key: string }, version: number): string {
  return `${name(record)}#${version}`;
}
