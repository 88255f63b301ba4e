import { randomBytes } from 'node:crypto';

const secretBytes = 32;

/** What nobody can guess, for signing. */
export function newSecret(): Buffer {
  return randomBytes(secretBytes);
}
