import type { FeedFormat } from '../domain/feed-format.js';
import { formatChange } from '../domain/feed-format.js';
import { formatPosition } from '../domain/feed-page.js';
import type { FeedView } from '../domain/feed-view.js';
import { NDJSON_TYPE } from './plugins/bodies.js';
import type { Problem } from './problem.js';

export const EVENTS_TYPE = 'text/event-stream';

/** After how long a browser connects again that has lost its stream. */
const RETRY_MS = 2_000;

/** A way to write the feed as a stream that does not end. */
export interface StreamForm {
  mediaType: string;
  /** How changes are written. */
  viewOf: (format: FeedFormat) => Pick<FeedView, 'name' | 'write'>;
  /** What comes first. */
  opening: string;
  /** Says that everything up to a position has been told. */
  heartbeat: (position: string) => string;
  /** What comes last, where the stream cannot go on. */
  failure: (problem: Problem) => string;
}

/**
 * Server-Sent Events (HTML Living Standard, 9.2). A change is one event whatever the form, so that none is half there;
 * where the form makes two items of it, they are two lines of `data`.
 */
const events: StreamForm = {
  mediaType: EVENTS_TYPE,
  opening: `retry: ${RETRY_MS}\n\n`,
  viewOf: (format) => ({
    name: `events ${format}`,
    write: (changes) =>
      changes
        .map(({ change, position }) => {
          const items = formatChange(change, format).map((item) => `data: ${item}\n`);
          return `id: ${formatPosition(position)}\nevent: change\n${items.join('')}\n`;
        })
        .join(''),
  }),
  heartbeat: (position) => `id: ${position}\nevent: heartbeat\ndata: ${positionText(position)}\n\n`,
  failure: (problem) => `event: error\ndata: ${JSON.stringify(problem)}\n\n`,
};

/** A JSON text on each line. Where all of a position has been told, a line says so that is no change in any form. */
const lines: StreamForm = {
  mediaType: NDJSON_TYPE,
  opening: '',
  viewOf: (format) => ({
    name: `lines ${format}`,
    write: (changes, upTo) => {
      const items = changes.flatMap(({ change }) => formatChange(change, format));
      return `${items.join('\n')}\n${positionText(formatPosition(upTo))}\n`;
    },
  }),
  heartbeat: (position) => `${positionText(position)}\n`,
  failure: () => '',
};

const positionText = (position: string) => `{"position":"${position}"}`;

export const streamForms = { [EVENTS_TYPE]: events, [NDJSON_TYPE]: lines };
