import { sha256 } from '../lib/digest.js';
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
const changesetPrefix = 'rcpt2.';

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
    throw noReceipt();
  }
  return { pendingId, edit, definitionId, currentVersionId, revision };
}

/** The same for a changeset. */
export interface ChangesetReceipt {
  changeset: string;
  edit: number;
  /** Of the definitions of all its collections: see `definitionsDigest`. */
  definitions: string;
  revision: number;
}

export function formatChangesetReceipt(receipt: ChangesetReceipt): string {
  const { changeset, edit, definitions, revision } = receipt;
  return (
    changesetPrefix + Buffer.from([changeset, edit, definitions, revision].join('.')).toString('base64url')
  );
}

/** @throws DiptychError `invalid-request` for what is not a receipt of a changeset */
export function parseChangesetReceipt(text: string): ChangesetReceipt {
  const content = text.startsWith(changesetPrefix)
    ? Buffer.from(text.slice(changesetPrefix.length), 'base64url').toString()
    : '';
  const [, changeset, edit, definitions, revision] =
    /^([0-9a-f-]{36})\.(\d{1,15})\.([\w-]{22})\.(\d{1,15})$/.exec(content) ?? [];
  if (changeset === undefined || definitions === undefined) throw noReceipt();
  return { changeset, edit: Number(edit), definitions, revision: Number(revision) };
}

/** A short digest of which definitions are in force, in any order. */
export function definitionsDigest(definitions: Map<string, { definitionId: number }>): string {
  const lines = [...definitions].map(([name, { definitionId }]) => `${name} ${definitionId}`);
  return sha256(lines.sort().join('\n')).toString('base64url').slice(0, 22);
}

function noReceipt(): DiptychError {
  return new DiptychError('invalid-request', 'The receipt is none of this service for this call.', {
    errors: [
      {
        pointer: '/receipt',
        code: 'receipt',
        message: 'Take `receipt` from the answer of validate, as it is.',
      },
    ],
  });
}
