import { z } from 'zod';
import { livenessSchema, readinessSchema } from '../schemas/answers.js';
import type { OperationDoc } from './operation.js';

const TAG = 'Service';

export const checkLivenessDoc: OperationDoc = {
  id: 'checkLiveness',
  tag: TAG,
  summary: 'Is the process alive?',
  description: 'Asks nothing but the process itself. A supervisor restarts it when this does not answer.',
  successes: { 200: { description: 'Alive.', schema: livenessSchema, example: { live: true } } },
  refusals: [],
  open: true,
};

export const checkReadinessDoc: OperationDoc = {
  id: 'checkReadiness',
  tag: TAG,
  summary: 'Can it serve?',
  description:
    '503 while the process shuts down or cannot reach its database within a second: a load balancer then sends requests elsewhere. The problem document has the same `checks`.',
  successes: {
    200: {
      description: 'Ready.',
      schema: readinessSchema,
      example: { ready: true, checks: { process: 'ok', database: 'ok' } },
    },
  },
  refusals: ['not-ready'],
  open: true,
};

export const readOpenapiDoc: OperationDoc = {
  id: 'readOpenapi',
  tag: TAG,
  summary: 'This document',
  description: 'OpenAPI 3.1, for clients and their generators. The page over it is at `/docs`.',
  successes: {
    200: { description: 'The document.', schema: z.looseObject({ openapi: z.string() }) },
  },
  refusals: [],
  open: true,
};

const html = { mediaType: 'text/html', schema: z.string() };

export const listProblemsDoc: OperationDoc = {
  id: 'listProblems',
  tag: TAG,
  summary: 'All problems, as a page',
  description: 'Every code that a refusal can have, with its status and a link to what helps.',
  successes: { 200: { description: 'A page for people.', ...html } },
  refusals: [],
  open: true,
};

export const readProblemDoc: OperationDoc = {
  id: 'readProblem',
  tag: TAG,
  summary: 'What a problem means, as a page',
  description: 'Where `type` of a problem document leads: what the code means, and what helps.',
  successes: { 200: { description: 'A page for people.', ...html } },
  refusals: ['route-not-found'],
  open: true,
};
