import { z } from 'zod';
import type { Context } from '../../commands/context.js';
import { createChangeset } from '../../commands/create-changeset.js';
import { getChangeset } from '../../queries/get-changeset.js';
import { listChangesets } from '../../queries/list-changesets.js';
import { listMembers } from '../../queries/list-members.js';
import { answerChangeset, answerRead } from '../answers.js';
import * as docs from '../openapi/changesets-docs.js';
import { operation } from '../openapi/operation.js';
import { createChangesetBody } from '../schemas/changesets.js';
import { authorHeaders, readHeaders } from '../schemas/headers.js';
import { pagingQuery } from '../schemas/list-query.js';
import { changesetParams } from '../schemas/paths.js';
import { given, type Server } from '../server.js';

const CHANGESETS = '/v1/changesets';
const CHANGESET = `${CHANGESETS}/:changeset`;

const changesetsQuery = z.strictObject({
  state: z
    .enum(['open', 'scheduled', 'committed', 'discarded'])
    .meta({ description: 'Only changesets in this state.' })
    .optional(),
  ...pagingQuery,
});

export function changesetsRoutes(app: Server, context: Context): void {
  app.route({
    method: 'POST',
    url: CHANGESETS,
    ...operation(docs.createChangesetDoc, { headers: authorHeaders, body: createChangesetBody }),
    handler: async (request, reply) => {
      const { title, message } = request.body;
      const created = await createChangeset(context, { title, ...given({ message }), actor: request.actor });
      reply.code(201).header('Location', `${CHANGESETS}/${created.changeset.id}`);
      return answerChangeset(reply, created);
    },
  });

  app.route({
    method: 'GET',
    url: CHANGESETS,
    ...operation(docs.listChangesetsDoc, { querystring: changesetsQuery, headers: readHeaders }),
    handler: async (request, reply) => {
      const { limit, ...wanted } = request.query;
      const { page, revision } = await listChangesets(context, { limit, ...given(wanted) });
      return answerRead(request, reply, { body: { ...page, revision }, revision, next: page.next });
    },
  });

  app.route({
    method: 'GET',
    url: CHANGESET,
    ...operation(docs.getChangesetDoc, { params: changesetParams, headers: readHeaders }),
    handler: async (request, reply) => {
      const { changeset, tag, revision } = await getChangeset(context, { id: request.params.changeset });
      return answerRead(request, reply, { body: changeset, tag, revision });
    },
  });

  app.route({
    method: 'GET',
    url: `${CHANGESET}/pending`,
    ...operation(docs.listMembersDoc, {
      params: changesetParams,
      querystring: z.strictObject(pagingQuery),
      headers: readHeaders,
    }),
    handler: async (request, reply) => {
      const { limit, cursor } = request.query;
      const { changeset } = request.params;
      const { page, revision } = await listMembers(context, { changeset, limit, ...given({ cursor }) });
      return answerRead(request, reply, { body: { ...page, revision }, revision, next: page.next });
    },
  });
}
