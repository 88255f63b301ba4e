import { JSON_TYPE } from '../plugins/bodies.js';
import { createdWebhookSchema, webhookPageSchema, webhookSchema } from '../schemas/webhooks.js';
import { page } from './examples.js';
import type { OperationDoc, SuccessDoc } from './operation.js';
import { listSuccesses, readSuccesses } from './successes.js';
import * as examples from './webhook-examples.js';

const TAG = 'Webhooks';

const changed: SuccessDoc = {
  description: 'The webhook as it is now.',
  schema: webhookSchema,
  headers: ['ETag', 'Diptych-Revision'],
  example: examples.webhook,
};

const filterText =
  'With `collection` or `keyPrefix` only those changes are sent; the position moves past the others.';

export const createWebhookDoc: OperationDoc = {
  id: 'createWebhook',
  tag: TAG,
  summary: 'Have changes sent to a URL',
  description: `Every change after the revision \`after\`, or what is new if that is not given. ${filterText}\n\nThe answer shows the \`secret\` that deliveries are signed with, this once. URLs that lead into private networks are refused, unless \`WEBHOOK_ALLOW\` names them.`,
  successes: {
    201: {
      description: 'The webhook was created.',
      schema: createdWebhookSchema,
      headers: ['ETag', 'Diptych-Revision', 'Location'],
      example: examples.createdWebhook,
    },
  },
  refusals: [
    'webhook-url-refused',
    'webhook-limit',
    'collection-not-found',
    'revision-not-found',
    'position-expired',
  ],
  bodyExamples: {
    [JSON_TYPE]: { shop: { summary: 'Changes of one collection', value: examples.createWebhook } },
  },
};

export const listWebhooksDoc: OperationDoc = {
  id: 'listWebhooks',
  tag: TAG,
  summary: 'List the webhooks',
  description: 'All webhooks, the newest first, with how far each has come. Never their secrets.',
  successes: listSuccesses('A page of webhooks.', webhookPageSchema, page(examples.webhook, 2)),
  refusals: ['cursor-invalid'],
};

export const getWebhookDoc: OperationDoc = {
  id: 'getWebhook',
  tag: TAG,
  summary: 'Read a webhook',
  description:
    'What it is told of, how far it has come, what went wrong last and when that is tried again. A write that sends its `ETag` back is refused only if somebody changed the webhook meanwhile, not because something was delivered.',
  successes: readSuccesses('The webhook.', webhookSchema, examples.webhook),
  refusals: ['webhook-not-found'],
};

export const replaceWebhookDoc: OperationDoc = {
  id: 'replaceWebhook',
  tag: TAG,
  summary: 'Give a webhook another URL, description or filter',
  description:
    'Replaces all of them; what is not given is empty. Position, secrets and log stay. Another URL is tried at once, with the event that the first has not taken.',
  successes: { 200: changed },
  refusals: ['webhook-not-found', 'webhook-url-refused', 'collection-not-found', 'precondition-required'],
  parameterExamples: { 'if-match': '*' },
  bodyExamples: {
    [JSON_TYPE]: {
      all: { summary: 'Changes of all collections', value: { url: examples.createWebhook.url } },
    },
  },
};

export const deleteWebhookDoc: OperationDoc = {
  id: 'deleteWebhook',
  tag: 'Cleaning up',
  summary: 'Delete a webhook',
  description: 'Nothing more is sent to it. Its secrets and its log are gone.',
  successes: { 204: { description: 'It is gone.', headers: ['Diptych-Revision'] } },
  refusals: ['webhook-not-found'],
};
