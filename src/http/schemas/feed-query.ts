import { z } from 'zod';
import { type FeedFormat, feedFormats } from '../../domain/feed-format.js';
import { keyPrefixText, limitText, PAGE_LIMIT_DEFAULT } from './list-query.js';
import { collectionName, integerText } from './primitives.js';

const WAIT_SECONDS_MAX = 60;
const POSITION = '(?:0|[1-9]\\d{0,14})(?:\\.[1-9]\\d{0,8})?';

/** What programs send for a cursor that they do not have yet. */
const noCursor = ['', 'null', `\${cursor}`];

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
    if (noCursor.includes(text)) {
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

const page = integerText(1, 1_000_000_000, {
  description:
    'The number of a page, from 1, for programs that cannot go on by position: exactly `limit` changes, but on the last. Page 1 begins after `after`. Not together with `cursor`, `wait`, `group` or `keyPrefix`.',
});

interface Given {
  cursor?: string | undefined;
  page?: number | undefined;
  group?: string | undefined;
  keyPrefix?: string | undefined;
  wait: number;
  format: FeedFormat;
}

/** Parameters that were given and exclude each other. */
function excluded(given: Given): [name: string, message: string][] {
  const { cursor, page, group, keyPrefix, wait, format } = given;
  const failures: [string, string][] = [];
  const refuse = (isGiven: boolean, name: string, message: string) => {
    if (isGiven) {
      failures.push([name, message]);
    }
  };
  if (page !== undefined) {
    refuse(cursor !== undefined, 'cursor', 'Not together with `page`: say with `after` where page 1 begins.');
    refuse(wait > 0, 'wait', 'Not together with `page`: what is on it by now is answered at once.');
    refuse(group !== undefined, 'group', 'Not together with `page`, which counts changes.');
    refuse(
      keyPrefix !== undefined,
      'keyPrefix',
      'Not together with `page`, which would look through the whole log: go on by position.',
    );
  }
  if (group !== undefined) {
    refuse(
      format !== 'changes',
      'format',
      'Not together with `group`, whose entries have a form of their own.',
    );
    refuse(
      cursor !== undefined && page === undefined,
      'cursor',
      'Not together with `group`: go on with `after`.',
    );
  } else if (cursor !== undefined && format === 'changes' && page === undefined) {
    failures.push(['cursor', 'Not with the form `changes`, which goes on with `after`.']);
  }
  return failures;
}

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
    group: z
      .literal('commit')
      .meta({ description: 'One entry for each commit, with its changes in it; `limit` counts commits.' })
      .optional(),
    cursor: cursor.optional(),
    page: page.optional(),
  })
  .superRefine((query, context) => {
    for (const [name, message] of excluded(query)) {
      context.addIssue({ code: 'custom', path: [name], message, params: { code: 'not-together' } });
    }
  });
