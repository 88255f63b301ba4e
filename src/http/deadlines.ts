/** How many times in a deadline it is looked whether something has passed it. */
const LOOKS = 10;
/** What is over without anybody having said so is kept no longer than until the next look. */
const LOOK_MS_MAX = 1_000;

/**
 * Ends what lasts longer than `timeoutMs`. One timer for all: one for each request, and listeners that stop it,
 * would cost as much as the rest of a read.
 */
export class Deadlines<Item> {
  /** What is under way and since when, in the order in which it began. */
  readonly #since = new Map<Item, number>();
  #timer: NodeJS.Timeout | null = null;

  constructor(
    private readonly options: {
      timeoutMs: number;
      /** Whether an item has come to its end without having been settled. */
      isOver: (item: Item) => boolean;
      /** Called once for an item that has passed its deadline, and is not over. */
      end: (item: Item) => void;
    },
  ) {}

  begin(item: Item): void {
    this.#since.set(item, performance.now());
    // Only while there is something to look at, so that nobody has to stop it.
    this.#timer ??= setInterval(
      () => this.#look(),
      Math.min(this.options.timeoutMs / LOOKS, LOOK_MS_MAX),
    ).unref();
  }

  settle(item: Item): void {
    this.#since.delete(item);
  }

  #look(): void {
    const { timeoutMs, isOver, end } = this.options;
    const latest = performance.now() - timeoutMs;
    for (const [item, since] of this.#since) {
      if (isOver(item)) {
        this.#since.delete(item);
      } else if (since <= latest) {
        this.#since.delete(item);
        end(item);
      }
    }
    if (this.#since.size === 0 && this.#timer !== null) {
      clearInterval(this.#timer);
      this.#timer = null;
    }
  }
}
