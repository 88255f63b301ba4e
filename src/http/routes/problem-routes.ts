import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { DiptychError, isErrorCode } from '../../domain/errors.js';
import { operation } from '../openapi/operation.js';
import { listProblemsDoc, readProblemDoc } from '../openapi/service-docs.js';
import { PAGE_POLICY, problemPage, problemsPage } from '../problem-pages.js';
import type { Server } from '../server.js';

const codeParams = z.object({
  code: z.string().meta({ description: 'A code.', example: 'validation-failed' }),
});

export function problemRoutes(app: Server): void {
  app.route({
    method: 'GET',
    url: '/problems',
    ...operation(listProblemsDoc, {}),
    handler: async (_request, reply) => sendPage(reply, problemsPage()),
  });

  app.route({
    method: 'GET',
    url: '/problems/:code',
    ...operation(readProblemDoc, { params: codeParams }),
    handler: async (request, reply) => {
      const { code } = request.params;
      if (!isErrorCode(code)) {
        throw new DiptychError('route-not-found', 'There is no such problem; /problems lists them all.');
      }
      return sendPage(reply, problemPage(code));
    },
  });
}

function sendPage(reply: FastifyReply, html: string): FastifyReply {
  return reply
    .headers({ 'Content-Security-Policy': PAGE_POLICY, 'Cache-Control': 'no-cache' })
    .type('text/html; charset=utf-8')
    .send(html);
}
