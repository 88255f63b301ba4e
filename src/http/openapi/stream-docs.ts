import { formatPosition, wholeCommit } from '../../domain/feed-page.js';
import { placeChanges } from '../../domain/feed-view.js';
import { NDJSON_TYPE } from '../plugins/bodies.js';
import { EVENTS_TYPE, type StreamForm, streamForms } from '../stream-forms.js';
import { logged } from './feed-examples.js';

/** What the description of the feed says of streams. */
export const streamText =
  '**As a stream.** With `Accept: text/event-stream` (Server-Sent Events: `new EventSource("/v1/changes?after=0")` in a browser, `curl -N -H "Accept: text/event-stream"` elsewhere) or `Accept: application/x-ndjson` the answer does not end: first everything after the position, then each change as it is committed, on whichever instance. `collection`, `keyPrefix` and `format` mean the same; `limit`, `wait`, `page` and `group` are refused.\n\n' +
  'Events have `event: change`, the change in `data`, and in `id` the position after it: `8` after the whole commit 8, `8.2` while more of it is to come. One event is one change (in `format=rows` the two rows of an update are two lines of its `data`). Keep the `id` together with what you made of the event and send it as `Last-Event-ID`, or as `after`, when you connect again, which a browser does by itself: nothing is lost, and nothing comes twice. `event: heartbeat` comes after 15 seconds of silence; its `id` has moved on also where the filter let nothing through.\n\n' +
  'Lines are the items of a page, one on each line, and lines `{"position":"8"}`, which no item looks like: everything up to there has been told. One comes after each run of changes and as heartbeat. Keep it with what you made of the lines before it, and go on with `after`.\n\n' +
  'A stream ends whole: with a heartbeat when the instance shuts down, so connect again; or, when retention has overtaken the reader, with `event: error` and the problem in `data` (lines just end), and the next attempt is refused with 410. A connection that breaks off ends without the end of the answer. Who leaves what was sent unread for a minute is cut off.';

const textOf = (form: StreamForm, heartbeat: string) => {
  const next = { revision: logged.revision, ordinal: wholeCommit };
  const placed = placeChanges([logged], next);
  return `${form.opening}${form.viewOf('changes').write(placed, next)}${form.heartbeat(heartbeat)}`;
};

const later = formatPosition({ revision: logged.revision + 4, ordinal: wholeCommit });

/** The answers that are streams. */
export const streamAlternatives = {
  [EVENTS_TYPE]: {
    schema: {
      type: 'string',
      description:
        'Server-Sent Events without an end: `change` with the JSON of an item in `data`, `heartbeat` with `{"position"}`, and `error` with a problem, after which nothing comes. Each has the position after it in `id`, but the last.',
    },
    example: textOf(streamForms[EVENTS_TYPE], later),
  },
  [NDJSON_TYPE]: {
    schema: {
      type: 'string',
      description:
        'A JSON text on each line, without an end: items as on a page, and `{"position"}` where everything up to there has been told.',
    },
    example: textOf(streamForms[NDJSON_TYPE], later),
  },
};
