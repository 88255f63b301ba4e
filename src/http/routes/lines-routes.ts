import { Readable } from 'node:stream';
import type { Context } from '../../commands/context.js';
import { stageLines } from '../../commands/stage-lines.js';
import { stageLinesDoc } from '../openapi/lines-docs.js';
import { operation } from '../openapi/operation.js';
import { readLines } from '../read-lines.js';
import { linesBody } from '../schemas/bodies.js';
import { deleteHeaders } from '../schemas/headers.js';
import { changesetParams } from '../schemas/paths.js';
import type { Server } from '../server.js';

// Room for the escapes and the white space that other writers of JSON are fond of.
const LINE_PER_RECORD = 3;
const LINE_FRAME_BYTES = 64 * 1024;

export function linesRoutes(app: Server, context: Context, { silenceMs }: { silenceMs: number }): void {
  const maxBytes = LINE_PER_RECORD * context.limits.maxRecordBytes + LINE_FRAME_BYTES;
  app.route({
    method: 'POST',
    url: '/v1/changesets/:changeset/stage',
    ...operation(stageLinesDoc, { params: changesetParams, headers: deleteHeaders, body: linesBody }),
    handler: async (request, reply) => {
      const { body, params, given, actor } = request;
      const { report, tag, revision } = await stageLines(context, {
        changeset: params.changeset,
        lines: body instanceof Readable ? readLines(body, { maxBytes, silenceMs }) : noLines(),
        ifMatch: given['if-match'],
        actor,
      });
      reply.headers({ ETag: tag, 'Diptych-Revision': String(revision), 'Cache-Control': 'no-store' });
      return report;
    },
  });
}

/** Of a body that is not there. */
async function* noLines(): AsyncGenerator<never, void, undefined> {}
