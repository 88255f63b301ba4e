import { z } from 'zod';
import { pageOf } from './answers.js';
import { collectionName } from './primitives.js';

const URL_MAX_CHARACTERS = 2_048;
const DESCRIPTION_MAX_CHARACTERS = 1_000;
const KEY_PREFIX_MAX_CHARACTERS = 255;

const time = z.iso.datetime();

const content = {
  url: z.string().min(1).max(URL_MAX_CHARACTERS).meta({
    description:
      'Where events are sent: https or http, in the public Internet, without credentials. Redirects are not followed.',
    format: 'uri',
  }),
  description: z.string().max(DESCRIPTION_MAX_CHARACTERS).nullish().meta({ description: 'For people.' }),
  collection: collectionName
    .nullish()
    .meta({ description: 'Only changes of this collection; of all if not given.' }),
  keyPrefix: z
    .string()
    .min(1)
    .max(KEY_PREFIX_MAX_CHARACTERS)
    .nullish()
    .meta({ description: 'Only changes of records whose key starts with this.' }),
};

/** `after` of a body: a revision. */
export const afterRevision = z
  .int()
  .nonnegative()
  .meta({ description: 'A revision: what was committed after it is sent.' });

/** `POST /v1/webhooks`. */
export const createWebhookBody = z.strictObject({
  ...content,
  after: afterRevision
    .optional()
    .meta({ description: 'Send what was committed after this revision; what is new if not given.' }),
});

/** `PUT /v1/webhooks/{webhook}`. */
export const replaceWebhookBody = z.strictObject(content);

/** What a body says, with every member. */
export function contentOf(given: z.output<typeof replaceWebhookBody>) {
  const { url, description = null, collection = null, keyPrefix = null } = given;
  return { url, description, collection, keyPrefix };
}

const lastErrorSchema = z.object({
  code: z.string().meta({
    description:
      'A word for programs: `status-500`, `timeout`, `connection`, `private-address`, `host-not-found`, …',
  }),
  message: z.string(),
  status: z.int().nullable().meta({ description: 'What the receiver answered, if it did.' }),
  at: time,
});

export const webhookSchema = z
  .object({
    id: z.string(),
    url: z.string(),
    description: z.string().nullable(),
    collection: z.string().nullable().meta({ description: 'Null: all.' }),
    keyPrefix: z.string().nullable(),
    state: z.enum(['active', 'failing', 'paused']).meta({
      description: '`failing`: the next event could not be delivered so far, and is tried again.',
    }),
    pausedBecause: z.enum(['by-hand', 'gone', 'position-expired']).nullable().meta({
      description:
        '`gone`: the receiver answered 410. `position-expired`: retention has removed data of what was still to be sent; replay from a later revision. Null unless paused.',
    }),
    position: z.string().meta({ description: 'The position in the feed up to which all is delivered.' }),
    lag: z.int().nonnegative().meta({ description: 'Revisions of the store that it has not come to yet.' }),
    failures: z.int().nonnegative().meta({ description: 'Attempts at the next event that failed.' }),
    lastError: lastErrorSchema.nullable().meta({ description: 'Null once an event was delivered.' }),
    nextAttemptAt: time.nullable().meta({ description: 'Null: at once, or not while it is paused.' }),
    lastDeliveredAt: time.nullable(),
    createdBy: z.string(),
    createdAt: time,
  })
  .meta({ id: 'Webhook', description: 'An endpoint that is told of changes, and how far it has come.' });

export const createdWebhookSchema = webhookSchema
  .extend({
    secret: z.string().meta({
      description: 'What deliveries are signed with, as Standard Webhooks writes it. Shown this once.',
    }),
  })
  .meta({ id: 'CreatedWebhook' });

export const webhookPageSchema = pageOf(webhookSchema).meta({ id: 'WebhookPage' });

const GRACE_HOURS_MAX = 168;
const GRACE_HOURS_DEFAULT = 24;

/** `POST …/replay`. */
export const replayBody = z.strictObject({ after: afterRevision });

/** `POST …/rotate-secret`. */
export const rotateBody = z
  .strictObject({
    graceHours: z.int().min(0).max(GRACE_HOURS_MAX).default(GRACE_HOURS_DEFAULT).meta({
      description: 'How long the present secret signs as well; 0 ends it at once.',
    }),
  })
  .prefault({});

export const rotatedWebhookSchema = createdWebhookSchema
  .extend({ previousExpiresAt: time.meta({ description: 'Until then the secret before signs as well.' }) })
  .meta({ id: 'RotatedWebhook' });

export const webhookTestSchema = z
  .object({
    event: z.string().meta({ description: '`webhook-id` of what was sent.' }),
    delivered: z.boolean(),
    status: z.int().nullable().meta({ description: 'Null when there was no answer.' }),
    error: z.object({ code: z.string(), message: z.string() }).nullable(),
    durationMs: z.int().nonnegative(),
    answer: z.string().nullable().meta({ description: 'The first 1,000 characters of what it answered.' }),
  })
  .meta({ id: 'WebhookTest', description: 'How the receiver took a test event.' });

export const deliveryPageSchema = pageOf(
  z
    .object({
      event: z.string().meta({ description: '`webhook-id`.' }),
      attempt: z.int().min(1),
      at: time,
      delivered: z.boolean(),
      status: z.int().nullable().meta({ description: 'Null when there was no answer.' }),
      error: z.string().nullable().meta({ description: 'As `lastError.code` of the webhook.' }),
      durationMs: z.int().nonnegative(),
    })
    .meta({ id: 'Delivery', description: 'One attempt to deliver an event.' }),
).meta({ id: 'DeliveryPage' });
