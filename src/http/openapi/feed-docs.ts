import { feedAnswerSchema } from '../schemas/feed-answers.js';
import * as examples from './feed-examples.js';
import type { OperationDoc } from './operation.js';
import { streamAlternatives, streamText } from './stream-docs.js';

export const readChangesDoc: OperationDoc = {
  id: 'readChanges',
  tag: 'Change feed',
  summary: 'Read the change feed',
  description:
    'Every update as its two records, before and after, in the order in which it became visible. Start with `after=0`, and go on with `after=<next>` for ever: nothing is lost and nothing comes twice. A commit is never split over pages unless it alone is larger than `limit`.\n\n' +
    '`collection` and `keyPrefix` leave out everything else; `next` moves on all the same. With `keyPrefix` a page may be empty before the end: the end is where `next` equals `head`.\n\n' +
    '`wait` holds the answer back, up to so many seconds, until there is news: a long poll.\n\n' +
    '`format=rows`, `debezium` and `cloudevents` tell the same in the forms of other programs. Their pages have `data` and `next_cursor`, which is the next `cursor`, or null when there is nothing more up to `head`; `limit` counts changes, and an update is two rows. `seq` of a row strictly increases, as an integer of 64 bits: it may pass 2^53, so do not keep it in a JavaScript number; `next_cursor` is what to go on with.\n\n' +
    '`page=N` instead, from 1, is for programs that can only count pages: exactly `limit` changes, whichever commits they are of, and none beyond the end; page 1 begins after `after`. Not with `keyPrefix`, which no page by its number could bound. Reading page after page costs what reading on by position costs; a page that nobody read up to costs the counting of all changes from `after` on.\n\n' +
    '`group=commit` shows commits with their changes in them, at most 1,000 of each; `more` is then the position of the rest. `limit` counts commits. Without a filter all commits are there, also those of definitions, which have no changes; with one, those of which something passes it.\n\n' +
    'Retention takes the data of old changes away. A position from before its horizon (that of `collection`, or the highest of all) is refused with 410 `position-expired`, whose `resume` links to the records at a revision and to the feed after it. What each commit changed, without the data, stays under `GET /v1/commits/{revision}/changes`.\n\n' +
    streamText,
  successes: {
    200: {
      description: 'Changes, or none yet.',
      schema: feedAnswerSchema,
      headers: ['Diptych-Revision'],
      examples: examples.feedPages,
      // A stream has no next page, nor has a page by its number.
      optionalHeaders: ['Link'],
      alternatives: streamAlternatives,
    },
  },
  refusals: [
    'collection-not-found',
    'cursor-invalid',
    'revision-not-found',
    'position-expired',
    'not-acceptable',
  ],
};
