import { z } from 'zod';
import { feedFormats } from '../../domain/feed-format.js';
import { keyPrefixText, limitText, PAGE_LIMIT_DEFAULT } from './list-query.js';
import { collectionName, integerText } from './primitives.js';

const WAIT_SECONDS_MAX = 60;
const POSITION = '(?:0|[1-9]\\d{0,14})(?:\\.(?:0|[1-9]\\d{0,8}))?';

/** What programs send for a cursor that they do not have yet. */
const NO_CURSOR = ['', 'null', `\${cursor}`];

const after = z
  .string()
  .regex(new RegExp(`^${POSITION}$`), 'Must be a revision, or `next` of the page before.')
  .meta({
    description: 'The position after which to go on: a revision, or `next` of the page before.',
    default: '0',
  });

const cursor = z
  .string()
  .transform((text, context) => {
    if (NO_CURSOR.includes(text)) {
      return undefined;
    }
    if (!new RegExp(`^${POSITION}$`).test(text)) {
      context.addIssue({ code: 'custom', message: 'Must be `next_cursor` of the page before.' });
    }
    return text;
  })
  .meta({
    description: `The same for the forms with a \`next_cursor\`: that of the page before. Empty, \`null\` or \`\${cursor}\` mean that there is none yet, and then \`after\` is where to start.`,
  });

const format = z.enum(feedFormats).meta({
  description:
    'The form of the items: `changes`; `rows`, flat and with a row kind, two for an update (Apache SeaTunnel); `debezium`; `cloudevents`.',
});

/** What a reader of the feed may ask for. */
export const feedQuery = z
  .strictObject({
    after: after.optional(),
    limit: limitText.default(PAGE_LIMIT_DEFAULT),
    collection: collectionName.meta({ description: 'Only changes of this collection.' }).optional(),
    keyPrefix: keyPrefixText
      .meta({ description: 'Only changes of records whose key starts with this.' })
      .optional(),
    wait: integerText(0, WAIT_SECONDS_MAX, {
      description: `Seconds to wait for news when there is none: 0 to ${WAIT_SECONDS_MAX}.`,
      default: 0,
    }).default(0),
    format: format.default('changes'),
    cursor: cursor.optional(),
  })
  .superRefine((query, context) => {
    if (query.cursor !== undefined && query.format === 'changes') {
      context.addIssue({
        code: 'custom',
        path: ['cursor'],
        message: 'Not with the form `changes`, which goes on with `after`.',
        params: { code: 'not-together' },
      });
    }
  });
