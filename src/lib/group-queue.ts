import { onceQuiet } from './once-quiet.js';

export interface GroupQueueOptions<Request, Outcome> {
  /**
   * Takes a group through at once: an outcome for each, in their order. Undefined where nothing was decided,
   * because those before it were work enough; the first always has an outcome. Throws when the group as a whole
   * could not be taken through, and has left no trace then.
   */
  run: (group: Request[]) => Promise<(Outcome | undefined)[]>;
  /** Two of one name are never under way together, and the later one sees what `run` did for the earlier one. */
  nameOf: (request: Request) => string;
  /** A group is of one name instead, and all that wait under it go together, in their order. */
  isOfOneName?: boolean;
  /** How much a request adds to its group, in units of `maxWeight`. */
  weightOf: (request: Request) => number;
  /** Of one group, unless its first request alone is more. */
  maxWeight: number;
  /** Requests of one group at most. */
  maxGroup: number;
  /** Groups that are under way at once. */
  lanes: number;
  /**
   * A group begins only when the event loop brings nothing more for it; with one lane. What one costs whatever
   * its size is paid for more of them then.
   */
  gathers?: boolean;
  /** Requests that wait at most, and how much they add up to. */
  maxWaiting: number;
  maxWaitingWeight: number;
  /** The error of those that come when so many wait. */
  refuse: () => Error;
  /** Whether what `run` threw is everybody's; else each of the group is tried by itself, and fails alone. */
  isShared: (error: unknown) => boolean;
}

interface Entry<Request, Outcome> {
  request: Request;
  name: string;
  weight: number;
  resolve: (outcome: Outcome) => void;
  reject: (error: unknown) => void;
}

/**
 * Requests that arrive while one group is under way go together in the next, in the order in which they came.
 * Each caller gets the outcome of its own.
 */
export class GroupQueue<Request, Outcome> {
  readonly #options: GroupQueueOptions<Request, Outcome>;
  /** The next of their names, and nothing of their name is under way. */
  #ready: Entry<Request, Outcome>[] = [];
  /** By name: those behind one that is ready or under way. */
  readonly #behind = new Map<string, Entry<Request, Outcome>[]>();
  #waiting = 0;
  #waitingWeight = 0;
  #running = 0;

  constructor(options: GroupQueueOptions<Request, Outcome>) {
    this.#options = options;
  }

  /** @throws what `refuse` makes, when too many wait already; or what `run` threw for this request */
  submit(request: Request): Promise<Outcome> {
    const { nameOf, weightOf, maxWaiting, maxWaitingWeight, refuse } = this.#options;
    const weight = weightOf(request);
    const isFull = this.#waiting >= maxWaiting || this.#waitingWeight + weight > maxWaitingWeight;
    if (this.#waiting > 0 && isFull) return Promise.reject(refuse());
    return new Promise((resolve, reject) => {
      const entry = { request, name: nameOf(request), weight, resolve, reject };
      this.#count([entry], 1);
      const behind = this.#behind.get(entry.name);
      if (behind) {
        behind.push(entry);
        return;
      }
      this.#behind.set(entry.name, []);
      this.#ready.push(entry);
      this.#start();
    });
  }

  #start(): void {
    if (this.#running === this.#options.lanes || this.#ready.length === 0) return;
    this.#running += 1;
    void this.#runLane();
  }

  async #runLane(): Promise<void> {
    while (this.#ready.length > 0) {
      if (this.#options.gathers) await this.#gather();
      const group = this.#takeGroup();
      this.#leave(group, await this.#runGroup(group));
    }
    this.#running -= 1;
  }

  #gather(): Promise<void> {
    return new Promise((resolve) => onceQuiet(() => this.#ready.length, resolve));
  }

  #takeGroup(): Entry<Request, Outcome>[] {
    const { maxGroup, maxWeight } = this.#options;
    const line = this.#nextLine();
    let weight = 0;
    const end = line.findIndex((entry, index) => {
      weight += entry.weight;
      return index > 0 && (index === maxGroup || weight > maxWeight);
    });
    const group = line.splice(0, end === -1 ? line.length : end);
    this.#count(group, -1);
    return group;
  }

  /** Where the next group is taken from. */
  #nextLine(): Entry<Request, Outcome>[] {
    const line = this.#options.isOfOneName && this.#behind.get(this.#ready[0]?.name ?? '');
    if (!line) return this.#ready;
    line.unshift(...this.#ready.splice(0, 1));
    return line;
  }

  /** Of those that wait: so many more, or fewer. */
  #count(entries: Entry<Request, Outcome>[], sign: 1 | -1): void {
    for (const { weight } of entries) {
      this.#waiting += sign;
      this.#waitingWeight += sign * weight;
    }
  }

  /** @returns those that nothing was decided about */
  async #runGroup(group: Entry<Request, Outcome>[]): Promise<Entry<Request, Outcome>[]> {
    let outcomes: (Outcome | undefined)[];
    try {
      outcomes = await this.#options.run(group.map(({ request }) => request));
    } catch (error) {
      if (group.length > 1 && !this.#options.isShared(error)) {
        for (const entry of group) await this.#runGroup([entry]);
      } else for (const entry of group) entry.reject(error);
      return [];
    }
    return group.filter((entry, index) => {
      const outcome = outcomes[index];
      if (outcome !== undefined) entry.resolve(outcome);
      else if (index === 0) entry.reject(new Error('the first of a group has no outcome'));
      return outcome === undefined && index > 0;
    });
  }

  /** Lets the next of each name be ready: those that were postponed before all others. */
  #leave(group: Entry<Request, Outcome>[], postponed: Entry<Request, Outcome>[]): void {
    this.#count(postponed, 1);
    for (const entry of [...postponed].reverse()) this.#behind.get(entry.name)?.unshift(entry);
    const first: Entry<Request, Outcome>[] = [];
    for (const name of new Set(group.map((entry) => entry.name))) {
      const next = this.#behind.get(name)?.shift();
      if (next === undefined) this.#behind.delete(name);
      else (postponed.includes(next) ? first : this.#ready).push(next);
    }
    this.#ready.unshift(...first);
  }
}
