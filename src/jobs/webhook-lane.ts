import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Context } from '../commands/context.js';
import { deliverEvent } from '../commands/deliver-event.js';
import type { ActiveWebhook, WebhookLead } from '../commands/lead-webhooks.js';
import { DiptychError } from '../domain/errors.js';
import { isAfter, type Position } from '../domain/feed-page.js';
import type { Settlement } from '../domain/webhook-delivery.js';
import type { FeedEvent } from '../domain/webhook-event.js';
import { readWebhookEvents } from '../queries/read-webhook-events.js';

const operation = 'deliverWebhooks';

/** How often a position that only passed over changes is written down. */
const passingMs = 1_000;

/** How long the rest of a page is kept while an event of it is under way. */
const heldMs = 1_000;

/** After the database could not be read. */
const troubleMs = 1_000;

/** An idle lane looks again even if nobody tells it that the head has moved. */
const idleMs = 30_000;

export interface LaneOptions {
  context: Context;
  lead: WebhookLead;
  logger: Logger;
  /** Reads a page; they take turns, so that many endpoints leave connections to others. */
  inTurn: <T>(read: () => Promise<T>) => Promise<T>;
}

/**
 * One endpoint: its events one after the other, each as often as it takes. Nothing that happens to it touches another
 * lane.
 */
export class WebhookLane {
  readonly ended: Promise<void>;
  readonly #options: LaneOptions;
  #webhook: ActiveWebhook;
  #position: Position;
  #written: Position;
  #writtenAt = performance.now();
  #failures: number;
  #dueAt: number;
  #isEnding = false;
  #pause = new AbortController();

  constructor(webhook: ActiveWebhook, options: LaneOptions) {
    this.#options = options;
    this.#webhook = webhook;
    this.#position = webhook;
    this.#written = webhook;
    this.#failures = webhook.failures;
    this.#dueAt = performance.now() + webhook.waitMs;
    options.lead.signal.addEventListener('abort', this.#wake);
    this.ended = this.#run().finally(() => options.lead.signal.removeEventListener('abort', this.#wake));
  }

  /** Takes over what its owner has changed. How far it is, it knows best itself, but for a new turn. */
  follow(webhook: ActiveWebhook): void {
    const { edit, turn } = this.#webhook;
    if (webhook.edit <= edit && webhook.turn <= turn) return;
    if (webhook.turn > turn) {
      this.#position = webhook;
      this.#written = webhook;
    }
    this.#webhook = webhook;
    this.#failures = webhook.failures;
    this.#dueAt = performance.now() + webhook.waitMs;
    this.#wake();
  }

  /** Begins nothing more. */
  end(): void {
    this.#isEnding = true;
    this.#wake();
  }

  readonly #wake = (): void => this.#pause.abort();

  get #isOver(): boolean {
    return this.#isEnding || this.#options.lead.signal.aborted;
  }

  async #run(): Promise<void> {
    while (!this.#isOver) {
      this.#pause = new AbortController();
      try {
        const waitMs = this.#dueAt - performance.now();
        if (waitMs > 0) await this.#rest(waitMs);
        else await this.#work();
      } catch (error) {
        if (this.#isOver) return;
        this.#log('warn', 'a webhook has to wait', { err: error });
        await this.#rest(troubleMs);
      }
    }
  }

  /** Until the time is over or something has changed. */
  async #rest(ms: number): Promise<void> {
    await delay(Math.min(ms, 2 ** 31 - 1), undefined, { signal: this.#pause.signal, ref: false }).catch(
      () => {},
    );
  }

  async #work(): Promise<void> {
    const { context, inTurn } = this.#options;
    const webhook = this.#webhook;
    const page = await inTurn(() =>
      readWebhookEvents(context, { ...webhook, position: this.#position }),
    ).catch((error: unknown) => this.#refused(webhook, error));
    if (page === undefined) return;
    const { events } = page;
    let isWhole = true;
    for (let event = events.shift(); event !== undefined; event = events.shift()) {
      if (this.#isOver || webhook !== this.#webhook) return;
      // What stands behind an event that takes long is let go, and read again afterwards.
      const letGo = setTimeout(() => {
        isWhole = events.splice(0).length === 0;
      }, heldMs);
      const goesOn = await this.#deliver(event).finally(() => clearTimeout(letGo));
      if (!goesOn || !isWhole) return;
    }
    if (webhook === this.#webhook) await this.#passOver(page);
  }

  /** Sends an event and writes down what became of it. Answers whether the next may follow at once. */
  async #deliver(event: FeedEvent): Promise<boolean> {
    const { context, lead } = this.#options;
    const { id, turn } = this.#webhook;
    const settlement = await deliverEvent(context, { id, turn, failures: this.#failures }, event, lead);
    // Another turn, or none; the list of endpoints will tell.
    if (settlement === null) {
      await this.#rest(passingMs);
      return false;
    }
    return (await this.#settle(settlement)) && settlement.error === null;
  }

  async #settle(settlement: Settlement): Promise<boolean> {
    const isCounted = await this.#options.lead.settle(settlement);
    if (!isCounted || settlement.turn !== this.#webhook.turn) return false;
    const { position, failures, error, retryMs, paused } = settlement;
    if (error !== null && this.#failures === 0) this.#log('warn', 'a webhook fails', { code: error.code });
    if (error === null && this.#failures > 0) this.#log('info', 'a webhook is delivered again');
    if (paused !== null) {
      this.#log('warn', 'a webhook was paused', { reason: paused });
      this.end();
    }
    this.#failures = failures;
    this.#dueAt = performance.now() + (retryMs ?? 0);
    if (position !== null) {
      this.#position = position;
      this.#written = position;
      this.#writtenAt = performance.now();
    }
    return true;
  }

  /** Nothing more is ahead: notes how far it has looked, now and then, and waits for the head to move. */
  async #passOver({ next, head }: { next: Position; head: number }): Promise<void> {
    this.#position = next;
    const isBehind = isAfter(next, this.#written);
    const waitMs = isBehind ? this.#writtenAt + passingMs - performance.now() : idleMs;
    if (waitMs <= 0) {
      // Nothing that is ahead can have failed. Where it does not count, the list of endpoints will tell why.
      const isCounted = await this.#settle({ ...this.#nothing(), position: next, failures: 0 });
      if (!isCounted) await this.#rest(passingMs);
    } else if (next.revision >= head)
      await this.#options.context.heads.waitAbove(head, { timeoutMs: waitMs, signal: this.#pause.signal });
  }

  #nothing(): Settlement {
    const { id, turn } = this.#webhook;
    const none = { position: null, error: null, retryMs: null, paused: null, attempt: null };
    return { webhookId: id, turn, failures: this.#failures, ...none };
  }

  /** What cannot be read any more is told to the owner; never is it passed over. */
  async #refused(webhook: ActiveWebhook, refusal: unknown): Promise<undefined> {
    // Its owner has moved it elsewhere meanwhile, or wants something else of it.
    if (webhook !== this.#webhook) return;
    if (!(refusal instanceof DiptychError) || refusal.code !== 'position-expired') throw refusal;
    const { code, detail } = refusal;
    const error = {
      code,
      message: detail,
      status: null,
      at: this.#options.context.webhooks.now().toISOString(),
    };
    const settlement: Settlement = { ...this.#nothing(), error, paused: 'position-expired' };
    if (!(await this.#settle(settlement))) await this.#rest(passingMs);
  }

  #log(level: 'info' | 'warn', text: string, more: object = {}): void {
    this.#options.logger[level]({ operation, webhook: this.#webhook.id, ...more }, text);
  }
}
