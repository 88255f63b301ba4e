import type { Context } from '../../commands/context.js';
import { DiptychError } from '../../domain/errors.js';
import type { Drain } from '../../lib/drain.js';
import { checkReadiness } from '../../queries/check-readiness.js';
import { operation } from '../openapi/operation.js';
import * as docs from '../openapi/service-docs.js';
import type { Server } from '../server.js';

export function serviceRoutes(app: Server, context: Context, drain: Drain): void {
  app.route({
    method: 'GET',
    url: '/livez',
    ...operation(docs.checkLivenessDoc, {}),
    handler: async (_request, reply) => {
      reply.header('Cache-Control', 'no-store');
      return { live: true };
    },
  });

  app.route({
    method: 'GET',
    url: '/readyz',
    ...operation(docs.checkReadinessDoc, {}),
    handler: async (_request, reply) => {
      if (drain.draining) {
        throw notReady({ process: 'shutting down' });
      }
      const { ready, checks } = await checkReadiness(context);
      if (!ready) {
        throw notReady({ process: 'ok', ...checks });
      }
      reply.header('Cache-Control', 'no-store');
      return { ready, checks: { process: 'ok', ...checks } };
    },
  });

  app.route({
    method: 'GET',
    url: '/openapi.json',
    ...operation(docs.readOpenapiDoc, {}),
    handler: async (_request, reply) => {
      reply.header('Cache-Control', 'no-cache');
      return app.swagger();
    },
  });
}

function notReady(checks: Record<string, string>): DiptychError {
  const failing = Object.entries(checks).filter(([, state]) => state !== 'ok');
  const detail = failing.map(([name, state]) => `${name}: ${state}`).join('; ');
  return new DiptychError('not-ready', detail, { extensions: { checks } });
}
