import { digestOf, type State } from './content.js';
import type { Snapshot } from './reader.js';

/** A stretch of revisions in which readers see one state of the list. */
export interface Era {
  name: string;
  /** Its first revision. */
  revision: number;
  state: State;
  /** How many records the commit changed that began it. */
  changeCount: number;
}

/** Which state of the list is right at which revision: what every snapshot is held against. */
export class Timeline {
  readonly #eras: (Era & { digest: string })[] = [];
  readonly #digests = new WeakMap<State, string>();

  add(era: Era): Era {
    const entry = { ...era, digest: this.digestOf(era.state) };
    this.#eras.push(entry);
    return entry;
  }

  /** A state that comes again is not read again. */
  digestOf(state: State): string {
    const digest = this.#digests.get(state) ?? digestOf(state);
    this.#digests.set(state, digest);
    return digest;
  }

  /** The number of changes that the feed must show. */
  get changeCount(): number {
    return this.#eras.reduce((sum, { changeCount }) => sum + changeCount, 0);
  }

  get last(): Era {
    const era = this.#eras.at(-1);
    if (era === undefined) {
      throw new Error('Nothing has happened yet');
    }
    return era;
  }

  /** The state that readers see at `revision`, or null before the first. */
  at(revision: number): Era | null {
    return this.#eras.filter((era) => era.revision <= revision).at(-1) ?? null;
  }

  /** Whether the content is, to the last character, what readers must see at its revision. */
  explains({ revision, digest }: Pick<Snapshot, 'revision' | 'digest'>): boolean {
    return this.#eras.filter((era) => era.revision <= revision).at(-1)?.digest === digest;
  }

  /** Whether this content was right at any time; no mixture of two states ever was. */
  knows(digest: string): boolean {
    return this.#eras.some((era) => era.digest === digest);
  }
}
