import { z } from 'zod';
import { changesetId, collectionName, recordKey, revisionText, versionText } from './primitives.js';

export const collectionParams = z.object({ collection: collectionName });
export const recordParams = z.object({ collection: collectionName, key: recordKey });
export const versionParams = z.object({ collection: collectionName, key: recordKey, version: versionText });
export const commitParams = z.object({ revision: revisionText });

/** Which pending version of the record is meant. */
export const changesetQuery = z.strictObject({ changeset: changesetId.optional() });
