import { JSON_TYPE } from '../plugins/bodies.js';
import {
  deliveryPageSchema,
  rotatedWebhookSchema,
  webhookSchema,
  webhookTestSchema,
} from '../schemas/webhooks.js';
import { page } from './examples.js';
import type { OperationDoc, SuccessDoc } from './operation.js';
import { listSuccesses } from './successes.js';
import * as examples from './webhook-examples.js';

const TAG = 'Webhooks';

const changed = (example: unknown): Record<number, SuccessDoc> => ({
  200: {
    description: 'The webhook as it is now.',
    schema: webhookSchema,
    headers: ['ETag', 'Diptych-Revision'],
    example,
  },
});

export const testWebhookDoc: OperationDoc = {
  id: 'testWebhook',
  tag: TAG,
  summary: 'Send a test event now',
  description:
    'Sends a signed event of type `diptych.webhook.test`, once, also while the webhook is paused, and answers what the receiver said. That it failed is an answer, not an error. The position stays.',
  successes: {
    200: {
      description: 'How the receiver took it.',
      schema: webhookTestSchema,
      example: examples.webhookTest,
    },
  },
  refusals: ['webhook-not-found'],
};

export const listWebhookDeliveriesDoc: OperationDoc = {
  id: 'listWebhookDeliveries',
  tag: TAG,
  summary: 'List the deliveries of a webhook',
  description:
    'Each attempt, the newest first. Kept for seven days, and no more than about 2,000 of each webhook.',
  successes: listSuccesses('A page of attempts.', deliveryPageSchema, page(examples.delivery, 2)),
  refusals: ['webhook-not-found', 'cursor-invalid'],
};

export const pauseWebhookDoc: OperationDoc = {
  id: 'pauseWebhook',
  tag: TAG,
  summary: 'Pause a webhook',
  description:
    'Sends nothing more until it is resumed. What is under way at this moment may still arrive. The position stays; a pause that lasts longer than retention keeps data ends in `position-expired`.',
  successes: changed(examples.pausedWebhook),
  refusals: ['webhook-not-found'],
};

export const resumeWebhookDoc: OperationDoc = {
  id: 'resumeWebhook',
  tag: TAG,
  summary: 'Go on with a webhook',
  description:
    'Goes on where it stopped, at once: with a webhook that is paused, and with one that waits after attempts that failed. Where retention has removed data of what follows it is refused; replay from a later revision.',
  successes: changed(examples.webhook),
  refusals: ['webhook-not-found', 'position-expired'],
};

export const replayWebhookDoc: OperationDoc = {
  id: 'replayWebhook',
  tag: TAG,
  summary: 'Send again from a revision, or skip to one',
  description:
    'Moves the position, back or on: next is sent what was committed after the revision. Events that come again have the same `webhook-id` as before. A webhook that the service has paused goes on; one that was paused by hand stays so.',
  successes: changed(examples.webhook),
  refusals: ['webhook-not-found', 'revision-not-found', 'position-expired'],
  bodyExamples: { [JSON_TYPE]: { all: { summary: 'Everything again', value: { after: 0 } } } },
};

export const rotateWebhookSecretDoc: OperationDoc = {
  id: 'rotateWebhookSecret',
  tag: TAG,
  summary: 'Give a webhook another secret',
  description:
    'From now on deliveries are signed with a new secret, which this answer shows this once. For a while, 24 hours if not given, the one before signs as well: `webhook-signature` has both, separated by a space, and receivers that know either of them go on. `graceHours: 0` ends a secret that has leaked at once.',
  successes: {
    200: {
      description: 'The webhook, with its new secret.',
      schema: rotatedWebhookSchema,
      headers: ['ETag', 'Diptych-Revision'],
      example: examples.rotatedWebhook,
    },
  },
  refusals: ['webhook-not-found'],
  bodyOptional: true,
  bodyExamples: {
    [JSON_TYPE]: {
      day: { summary: 'With a day to change over', value: { graceHours: 24 } },
      now: { summary: 'At once', value: { graceHours: 0 } },
    },
  },
};
