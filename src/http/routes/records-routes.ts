import { z } from 'zod';
import type { Context } from '../../commands/context.js';
import type { PointInTime } from '../../domain/point-in-time.js';
import { getRecord } from '../../queries/get-record.js';
import { listRecords } from '../../queries/list-records.js';
import { answerRead } from '../answers.js';
import { operation } from '../openapi/operation.js';
import * as docs from '../openapi/records-docs.js';
import { readHeaders } from '../schemas/headers.js';
import {
  fieldsText,
  filterParameters,
  keyPrefixText,
  pagingQuery,
  sortText,
  timeText,
} from '../schemas/list-query.js';
import { collectionParams, recordParams } from '../schemas/paths.js';
import { revisionText } from '../schemas/primitives.js';
import { given, type Server } from '../server.js';

const RECORDS = '/v1/collections/:collection/records';

const momentMembers = {
  revision: revisionText
    .meta({ description: 'Read the state of this revision. Not together with `at`.' })
    .optional(),
  at: timeText.optional(),
};

interface Moment {
  revision?: number | undefined;
  at?: Date | undefined;
}

const isOneMoment = ({ revision, at }: Moment) => revision === undefined || at === undefined;
const oneMoment = { path: ['at'], message: 'Give revision or at, not both.' };

const recordQuery = z.strictObject(momentMembers).refine(isOneMoment, oneMoment);

const listQuery = z
  .strictObject({
    keyPrefix: keyPrefixText.optional(),
    filter: filterParameters.optional(),
    sort: sortText.optional(),
    fields: fieldsText.optional(),
    ...momentMembers,
    ...pagingQuery,
  })
  .refine(isOneMoment, oneMoment);

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
    handler: async (request, reply) => {
      const at = pointInTime(request.query);
      const { record, tag, revision } = await getRecord(context, { ...request.params, at });
      return answerRead(request, reply, { body: record, tag, revision });
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
      const { limit, filter, sort, keyPrefix, fields, cursor } = request.query;
      const { page, revision } = await listRecords(context, {
        collection: request.params.collection,
        filters: filter ?? [],
        sort: sort ?? [],
        limit,
        at: pointInTime(request.query),
        ...given({ keyPrefix, fields, cursor }),
      });
      return answerRead(request, reply, { body: { ...page, revision }, revision, next: page.next });
    },
  });
}
