import type { FastifyInstance } from 'fastify';
import type { Context } from '../../commands/context.js';
import { awaitRevision } from '../../queries/await-revision.js';

/** Holds a read back until the state that `Diptych-Min-Revision` asks for is here, or refuses it. */
export function awaitMinRevision(app: FastifyInstance, context: Context): void {
  app.addHook('preHandler', (request, _reply, done) => {
    const revision = request.given?.['diptych-min-revision'];
    if (revision === undefined) {
      done();
    } else {
      awaitRevision(context, revision).then(() => done(), done);
    }
  });
}
