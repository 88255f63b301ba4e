import { DiptychError } from './errors.js';

/**
 * Proof of what a validation looked at. It is not secret and not signed: a commit judges the state again, so
 * that a made-up receipt gains nothing.
 */
export interface Receipt {
  pendingId: number;
  edit: number;
  definitionId: number;
  /** 0 when the record was not live. */
  currentVersionId: number;
  /** The store revision of the validation. */
  revision: number;
}

const prefix = 'rcpt1.';

/** The receipt as clients carry it: an opaque string. */
export function formatReceipt(receipt: Receipt): string {
  const { pendingId, edit, definitionId, currentVersionId, revision } = receipt;
  return (
    prefix +
    Buffer.from([pendingId, edit, definitionId, currentVersionId, revision].join('.')).toString('base64url')
  );
}

/** @throws DiptychError `invalid-request` for what is not a receipt of this service */
export function parseReceipt(text: string): Receipt {
  const parts = text.startsWith(prefix)
    ? Buffer.from(text.slice(prefix.length), 'base64url').toString().split('.')
    : [];
  const numbers = parts.map((part) => (/^\d{1,15}$/.test(part) ? Number(part) : Number.NaN));
  const [pendingId, edit, definitionId, currentVersionId, revision] = numbers;
  if (
    numbers.length !== 5 ||
    numbers.some(Number.isNaN) ||
    pendingId === undefined ||
    edit === undefined ||
    definitionId === undefined ||
    currentVersionId === undefined ||
    revision === undefined
  ) {
    throw new DiptychError('invalid-request', 'The receipt is none of this service.', {
      errors: [
        {
          pointer: '/receipt',
          code: 'receipt',
          message: 'Take `receipt` from the answer of validate, as it is.',
        },
      ],
    });
  }
  return { pendingId, edit, definitionId, currentVersionId, revision };
}
