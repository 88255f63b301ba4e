import type { FeedChange } from '../../domain/feed-change.js';
import { commitText, type FeedCommit } from '../../domain/feed-commits.js';
import { type FeedFormat, formatChange } from '../../domain/feed-format.js';
import { change } from './examples.js';

/** The change of the other examples, as it is read from the log. */
export const logged: FeedChange = {
  ...change,
  operation: 'update',
  before: { version: change.before.version, content: JSON.stringify(change.before.data) },
  after: { version: change.after.version, content: JSON.stringify(change.after.data) },
  committedAt: new Date(change.committedAt),
};

const commit: FeedCommit = {
  revision: logged.revision,
  kind: 'commit',
  committedAt: logged.committedAt,
  author: logged.author,
  message: logged.message,
  changeset: null,
  changeCount: 1,
  changes: [logged],
  more: null,
};

/** Made by the code that writes the answers, so that they agree. */
const itemsOf = (format: FeedFormat) => formatChange(logged, format).map((item) => JSON.parse(item));

const pageOf = (format: FeedFormat) => ({ data: itemsOf(format), next_cursor: null, head: 3 });

export const feedPages = {
  changes: {
    summary: 'An update as one change',
    value: { changes: itemsOf('changes'), next: '3', head: 3 },
  },
  commits: {
    summary: 'group=commit',
    value: { commits: [JSON.parse(commitText(commit))], next: '3', head: 3 },
  },
  rows: { summary: 'format=rows: two rows', value: pageOf('rows') },
  debezium: { summary: 'format=debezium', value: pageOf('debezium') },
  cloudevents: { summary: 'format=cloudevents', value: pageOf('cloudevents') },
};
