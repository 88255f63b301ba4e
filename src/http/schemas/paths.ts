import { z } from 'zod';
import {
  changesetId,
  collectionName,
  definitionNumberText,
  recordKey,
  revisionText,
  versionText,
} from './primitives.js';

export const collectionParams = z.object({ collection: collectionName });
export const recordParams = z.object({ collection: collectionName, key: recordKey });
export const versionParams = z.object({ collection: collectionName, key: recordKey, version: versionText });
export const changesetParams = z.object({
  changeset: changesetId.meta({
    description: 'Id of the changeset, as `POST /v1/changesets` answers it.',
    example: '7b0f3f5e-3d0e-4d8e-9c58-0f6c2b1a9d11',
  }),
});
export const definitionParams = z.object({ collection: collectionName, number: definitionNumberText });
export const commitParams = z.object({ revision: revisionText });

/** Which pending version of the record is meant. */
export const changesetQuery = z.strictObject({ changeset: changesetId.optional() });
