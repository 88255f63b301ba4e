import type { z } from 'zod';
import type { HeaderName, SuccessDoc } from './operation.js';

const NOT_MODIFIED: SuccessDoc = {
  description: 'What you have (`If-None-Match`) is what you would get. No body.',
  headers: ['ETag', 'Diptych-Revision'],
};

/** The answers of a read. */
export function readSuccesses(
  description: string,
  schema: z.ZodType,
  example: unknown,
  more: readonly HeaderName[] = [],
): Record<200 | 304, SuccessDoc> {
  return {
    200: { description, schema, example, headers: ['ETag', 'Diptych-Revision', ...more] },
    304: NOT_MODIFIED,
  };
}

/** The answers of a list, which comes in pages. */
export function listSuccesses(
  description: string,
  schema: z.ZodType,
  example: unknown,
): Record<200 | 304, SuccessDoc> {
  return readSuccesses(description, schema, example, ['Link']);
}

/** The answer of a commit. */
export function commitSuccesses(
  description: string,
  schema: z.ZodType,
  example: unknown,
): Record<number, SuccessDoc> {
  return { 200: { description, schema, example, headers: ['Diptych-Revision', 'Idempotency-Replayed'] } };
}
