import { type Random, randomFrom } from '../../support/random.js';
import { type Committed, type CommittedChange, History, name } from './history.js';
import type { Service } from './service.js';

/** Keys and contents that something on the way might get wrong. */
const words = [
  'plain',
  'Ünï ☃ 𝄞',
  'a "quote", a \\ and a / too',
  "it's\tone\nand two",
  '',
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is none, and must not become one.
  '${not.a.variable}',
  'null',
];
const keys = ['key', 'käse/☃', 'a "b"', "o'hara", 'two words', '%41', '𝄞'];

export interface Work {
  collections: string[];
  /** How many commits there will be, and how many of them have several changes. */
  commits: number;
  ofSeveral: number;
  seed: number;
}

interface Change {
  collection: string;
  key: string;
  operation: 'put' | 'delete';
  data?: object;
}

/**
 * Clients that insert, update, delete and roll back records of their own choice, side by side, and note what they
 * were told. A refusal (nothing to delete, nothing to roll back to) changes nothing and is not counted.
 */
export class Writers {
  readonly history = new History();
  readonly #service: Service;
  readonly #work: Work;
  #left = 0;
  #leftOfSeveral = 0;
  #runs = 0;

  constructor(service: Service, work: Work) {
    this.#service = service;
    this.#work = work;
  }

  /** Makes so many parts of the commits, by four clients at once. */
  async run(parts: number, of: number): Promise<void> {
    this.#runs += 1;
    this.#left = Math.ceil((this.#work.commits * parts) / of);
    this.#leftOfSeveral = Math.ceil((this.#work.ofSeveral * parts) / of);
    const client = async (number: number) => {
      const random = randomFrom(this.#work.seed * 100 + this.#runs * 10 + number);
      while (this.#left > 0) await this.#step(random);
    };
    await Promise.all([0, 1, 2, 3].map(client));
    // The last is one change alone, of a record that stays: where it has arrived, everything has.
    const key = `the end of ${this.#runs}`;
    await this.#commit([{ collection: this.#collection(0), key, operation: 'put', data: {} }]);
  }

  async #step(random: Random): Promise<void> {
    if (this.#leftOfSeveral > 0 && random.below(this.#left) < this.#leftOfSeveral) {
      const records = new Map<string, Change>();
      for (let count = 2 + random.below(8); count > 0; count -= 1) {
        const change = this.#change(random);
        records.set(name(change), change);
      }
      if (records.size > 1 && (await this.#commit([...records.values()]))) this.#leftOfSeveral -= 1;
    } else if (random.chance(0.12)) {
      await this.#rollback(random);
    } else {
      await this.#commit([this.#change(random)]);
    }
  }

  #change(random: Random): Change {
    const record = this.#record(random);
    return random.chance(0.15)
      ? { ...record, operation: 'delete' }
      : { ...record, operation: 'put', data: contentOf(random) };
  }

  #record(random: Random): { collection: string; key: string } {
    const room = Math.max(10, Math.floor(this.#work.commits / 40));
    return {
      collection: this.#collection(random.below(this.#work.collections.length)),
      key: `${random.pick(keys)} ${random.below(room)}`,
    };
  }

  #collection(index: number): string {
    const [first = ''] = this.#work.collections;
    return this.#work.collections[index] ?? first;
  }

  async #commit(changes: Change[]): Promise<boolean> {
    const { status, body } = await this.#service.send<Committed>('POST', '/v1/commits', { changes });
    const sent = new Map(changes.map((change) => [name(change), change.data]));
    return this.#note(status, body, (change) => sent.get(name(change)));
  }

  async #rollback(random: Random): Promise<void> {
    const { collection, key } = this.#record(random);
    const toVersion = 1 + random.below(3);
    const path = `/v1/collections/${collection}/records/${encodeURIComponent(key)}/rollback`;
    const { status, body } = await this.#service.send<Committed>('POST', path, { toVersion });
    // No version is new: the pointer moves to one that somebody has committed before.
    this.#note(status, body, () => undefined);
  }

  #note(status: number, body: Committed, dataOf: (change: CommittedChange) => object | undefined): boolean {
    if (status >= 500) throw new Error(`a writer was answered ${status}: ${JSON.stringify(body)}`);
    if (status !== 200 || body.changes.length === 0) return false;
    this.history.add(body, dataOf);
    this.#left -= 1;
    return true;
  }
}

function contentOf(random: Random): object {
  return {
    name: random.pick(words),
    price: random.pick([0, -1, 0.1, 1.5, 12_345.678_9, 1e21, 5e-324, 9_007_199_254_740_991]),
    tags: Array.from({ length: random.below(4) }, () => random.pick(words)),
    nested: { [random.pick(words) || 'empty']: random.pick([null, true, false, { deep: [[]] }]) },
    note: random.chance(0.02) ? '☃'.repeat(5_000) : random.next(),
  };
}
