import { z } from 'zod';
import type { Context } from '../../commands/context.js';
import type { PointInTime } from '../../domain/point-in-time.js';
import { exportRecords } from '../../queries/export-records.js';
import { readRecord } from '../../queries/get-record.js';
import { listRecords } from '../../queries/list-records.js';
import { previewRecord } from '../../queries/preview-record.js';
import { previewRecords } from '../../queries/preview-records.js';
import { preferredType } from '../accept.js';
import { answerLines, answerRead, readerFor } from '../answers.js';
import { operation } from '../openapi/operation.js';
import * as docs from '../openapi/records-docs.js';
import { JSON_TYPE, NDJSON_TYPE } from '../plugins/bodies.js';
import { invalidRequest } from '../problem.js';
import { readHeaders } from '../schemas/headers.js';
import {
  fieldsText,
  filterParameters,
  keyPrefixText,
  limitText,
  PAGE_LIMIT_DEFAULT,
  pagingQuery,
  sortText,
  timeText,
} from '../schemas/list-query.js';
import { collectionParams, recordParams } from '../schemas/paths.js';
import { changesetId, revisionText } from '../schemas/primitives.js';
import { given, type Server } from '../server.js';

const RECORDS = '/v1/collections/:collection/records';

const momentMembers = {
  revision: revisionText
    .meta({ description: 'Read the state of this revision. Not together with `at`.' })
    .optional(),
  at: timeText.optional(),
  changeset: changesetId
    .meta({ description: 'Preview: this changeset laid over the newest state. Without `revision` and `at`.' })
    .optional(),
};

interface Moment {
  revision?: number | undefined;
  at?: Date | undefined;
  changeset?: string | undefined;
}

const isOneMoment = ({ revision, at }: Moment) => revision === undefined || at === undefined;
const oneMoment = { path: ['at'], message: 'Give revision or at, not both.' };
const isNowOrPast = ({ revision, at, changeset }: Moment) =>
  changeset === undefined || (revision === undefined && at === undefined);
const nowOrPast = { path: ['changeset'], message: 'Give changeset, or revision or at, not both.' };

const recordQuery = z
  .strictObject(momentMembers)
  .refine(isOneMoment, oneMoment)
  .refine(isNowOrPast, nowOrPast);

const listQuery = z
  .strictObject({
    keyPrefix: keyPrefixText.optional(),
    filter: filterParameters.optional(),
    sort: sortText.optional(),
    fields: fieldsText.optional(),
    ...momentMembers,
    ...pagingQuery,
    // Told apart from the default: an export takes none.
    limit: limitText.optional(),
  })
  .refine(isOneMoment, oneMoment)
  .refine(isNowOrPast, nowOrPast);

function pointInTime({ revision, at }: Moment): PointInTime {
  if (revision !== undefined) {
    return { type: 'revision', revision };
  }
  return at === undefined ? { type: 'head' } : { type: 'time', time: at };
}

export function recordsRoutes(app: Server, context: Context): void {
  app.route({
    method: 'GET',
    url: `${RECORDS}/:key`,
    ...operation(docs.getRecordDoc, { params: recordParams, querystring: recordQuery, headers: readHeaders }),
    handler: (request, reply) => {
      const reader = readerFor(request, reply);
      const { collection, key } = request.params;
      const { changeset } = request.query;
      if (changeset === undefined) {
        readRecord(context, { collection, key, at: pointInTime(request.query) }, reader);
        return;
      }
      previewRecord(context, { collection, key, changeset }).then(
        ({ record, revision }) => reader.done({ body: record, revision }),
        reader.failed,
      );
    },
  });

  app.route({
    method: 'GET',
    url: RECORDS,
    ...operation(docs.listRecordsDoc, {
      params: collectionParams,
      querystring: listQuery,
      headers: readHeaders,
    }),
    handler: async (request, reply) => {
      const { limit, filter, sort, keyPrefix, fields, cursor, changeset } = request.query;
      const wanted = {
        collection: request.params.collection,
        filters: filter ?? [],
        sort: sort ?? [],
        at: pointInTime(request.query),
        ...given({ keyPrefix }),
      };
      reply.header('Vary', 'Accept');
      if (preferredType(request.headers.accept, [JSON_TYPE, NDJSON_TYPE]) === NDJSON_TYPE) {
        refuseParts({ limit, cursor, fields });
        return answerLines(request, reply, await exportRecords(context, { ...wanted, changeset }));
      }
      const paged = { ...wanted, limit: limit ?? PAGE_LIMIT_DEFAULT, ...given({ fields, cursor }) };
      if (changeset === undefined) {
        return answerRead(request, reply, await listRecords(context, paged));
      }
      const { page, revision } = await previewRecords(context, { ...paged, changeset });
      return answerRead(request, reply, { body: { ...page, revision }, revision, next: page.next });
    },
  });
}

/** An export is whole: it has no pages, and its lines are whole records, so that they can be staged. */
function refuseParts(parameters: Record<string, unknown>): void {
  const failures = Object.keys(given(parameters)).map((name) => ({
    in: 'query' as const,
    pointer: `/${name}`,
    code: 'not-together',
    message: `Not together with ${NDJSON_TYPE}, which is the whole list.`,
  }));
  if (failures.length > 0) {
    throw invalidRequest(failures);
  }
}
