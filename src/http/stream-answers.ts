import type { ServerResponse } from 'node:http';
import { DiptychError } from '../domain/errors.js';
import type { Drain } from '../lib/drain.js';
import type { ChangeStream, StreamEvents } from '../queries/stream-changes.js';
import { toProblem } from './problem.js';
import type { StreamForm } from './stream-forms.js';

/** How long a reader may leave what was sent to it, and how long a stream is silent at most. */
export interface StreamTimes {
  stallMs: number;
  heartbeatMs: number;
}

/** How many times in the shorter of both it is looked. */
const LOOKS = 15;

/** How much is written at once. Who takes so much has read, however large the change is that it belongs to. */
const SLICE_BYTES = 64 * 1024;

/** Where an answer takes from what it sends. */
type Source = Pick<ChangeStream, 'position' | 'take' | 'close'>;

/** What an answer needs that is a stream. */
export interface StreamStart {
  response: ServerResponse;
  headers: Record<string, string>;
  form: StreamForm;
  open: (events: StreamEvents) => Source;
  requestId: string;
}

/** All answers of the process that are streams of the feed. One timer serves them all. */
export class StreamAnswers {
  readonly #answers = new Set<StreamAnswer>();
  readonly #times: StreamTimes;
  readonly #drain: Drain;
  readonly #timer: NodeJS.Timeout;
  readonly #onFailure: (error: unknown) => void;

  constructor(options: { times: StreamTimes; drain: Drain; onFailure: (error: unknown) => void }) {
    const { times, drain, onFailure } = options;
    this.#times = times;
    this.#drain = drain;
    this.#onFailure = onFailure;
    drain.signal.addEventListener('abort', () => {
      for (const answer of this.#answers) answer.end();
    });
    this.#timer = setInterval(() => this.#look(), Math.min(times.stallMs, times.heartbeatMs) / LOOKS);
    this.#timer.unref();
  }

  /** Bytes that wait for their readers, the most that wait for one, and how many readers there are. */
  get queued(): { bytes: number; most: number; readers: number } {
    const all = [...this.#answers].map(({ queuedBytes }) => queuedBytes);
    return {
      bytes: all.reduce((sum, bytes) => sum + bytes, 0),
      most: Math.max(0, ...all),
      readers: all.length,
    };
  }

  start(start: StreamStart): void {
    const { response } = start;
    // The reader has gone while its position was looked at.
    if (response.destroyed) return;
    response.writeHead(200, start.headers);
    const answer = new StreamAnswer(start, this.#onFailure);
    this.#answers.add(answer);
    response.once('close', () => {
      this.#answers.delete(answer);
      answer.close();
    });
    if (this.#drain.draining) answer.end();
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const now = performance.now();
    for (const answer of this.#answers) answer.look(now, this.#times);
  }
}

/**
 * One stream on its way to its reader. Nothing more is taken while what was written last has not gone out, so that
 * what waits for a reader is one block of the feed at most, and mostly one that others share.
 */
class StreamAnswer {
  readonly #response: ServerResponse;
  readonly #form: StreamForm;
  readonly #stream: Source;
  readonly #onFailure: (error: unknown) => void;
  readonly #requestId: string;
  #writtenAt = performance.now();
  /** What has been taken and is not written yet. */
  #rest: Buffer | null = null;
  #isWaiting = false;
  #isOver = false;

  constructor({ response, form, open, requestId }: StreamStart, onFailure: (error: unknown) => void) {
    this.#response = response;
    this.#form = form;
    this.#requestId = requestId;
    this.#onFailure = onFailure;
    response.on('drain', () => {
      this.#isWaiting = false;
      this.#pump();
    });
    // What breaks a connection is told by its closing.
    response.on('error', () => {});
    if (form.opening === '') response.flushHeaders();
    else response.write(form.opening);
    this.#stream = open({ onNews: () => this.#pump(), onFailure: (error) => this.#fail(error) });
    this.#pump();
  }

  get queuedBytes(): number {
    return this.#response.writableLength + (this.#rest?.length ?? 0);
  }

  /** Ends the stream after what has been written; its last word is how far it came. */
  end(): void {
    this.#finish(this.#form.heartbeat(this.#stream.position));
  }

  close(): void {
    this.#isOver = true;
    this.#stream.close();
  }

  /** Cuts off a reader that does not read, and lets one hear of a silence that is none. */
  look(now: number, { stallMs, heartbeatMs }: StreamTimes): void {
    const silentMs = now - this.#writtenAt;
    if (this.#isOver || this.#isWaiting) {
      if (silentMs > stallMs) this.#response.destroy();
    } else if (silentMs > heartbeatMs) {
      this.#write(this.#form.heartbeat(this.#stream.position));
    }
  }

  #pump(): void {
    while (!this.#isWaiting && !this.#isOver) {
      const bytes = this.#rest ?? this.#stream.take();
      if (bytes === null) return;
      this.#rest = bytes.length > SLICE_BYTES ? bytes.subarray(SLICE_BYTES) : null;
      this.#write(bytes.subarray(0, SLICE_BYTES));
    }
  }

  #write(bytes: Buffer | string): void {
    this.#writtenAt = performance.now();
    this.#isWaiting = !this.#response.write(bytes);
  }

  #fail(error: unknown): void {
    const isRefusal = error instanceof DiptychError;
    if (!isRefusal) this.#onFailure(error);
    const refusal = isRefusal ? error : new DiptychError('internal-error', 'Something went wrong here.');
    this.#finish(this.#form.failure(toProblem(refusal, this.#requestId)));
  }

  #finish(lastWords: string): void {
    if (this.#isOver) return;
    this.close();
    this.#writtenAt = performance.now();
    if (this.#rest !== null) this.#response.write(this.#rest);
    this.#rest = null;
    this.#response.end(lastWords);
  }
}
