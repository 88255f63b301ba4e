import { z } from 'zod';
import {
  changesetId,
  collectionName,
  definitionNumberText,
  isPlainKey,
  isPlainName,
  recordKey,
  revisionText,
  versionText,
} from './primitives.js';
import { quickly } from './quickly.js';

export const collectionParams = quickly(z.object({ collection: collectionName }), (params) =>
  isPlainName(params.collection) ? params : undefined,
);
export const recordParams = quickly(z.object({ collection: collectionName, key: recordKey }), (params) =>
  isPlainName(params.collection) && isPlainKey(params.key) ? params : undefined,
);
export const versionParams = z.object({ collection: collectionName, key: recordKey, version: versionText });
export const changesetParams = z.object({
  changeset: changesetId.meta({
    description: 'Id of the changeset, as `POST /v1/changesets` answers it.',
    example: '7b0f3f5e-3d0e-4d8e-9c58-0f6c2b1a9d11',
  }),
});
export const webhookParams = z.object({
  webhook: z.uuid('Must be the id of a webhook, a UUID.').toLowerCase().meta({
    description: 'Id of the webhook, as `POST /v1/webhooks` answers it.',
    example: '2f6a4c1e-9b0d-4c57-8a3e-5d1b7e90c4f2',
  }),
});
export const definitionParams = z.object({ collection: collectionName, number: definitionNumberText });
export const commitParams = z.object({ revision: revisionText });

/** Which pending version of the record is meant. */
export const changesetQuery = z.strictObject({ changeset: changesetId.optional() });
