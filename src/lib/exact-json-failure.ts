export type ExactJsonKind = 'malformed' | 'forbidden-member' | 'unstorable';

export interface ExactJsonFailure {
  /** JSON Pointer to the value (cut to an ancestor where it would be very long). */
  pointer: string;
  code:
    | 'malformed-json'
    | 'forbidden-member'
    | 'number-not-exact'
    | 'nul-character'
    | 'unpaired-surrogate'
    | 'duplicate-member'
    | 'too-deep';
  message: string;
}

/** The text is no JSON, or JSON that cannot be stored and given back equal. Lists at most 100 failures. */
export class ExactJsonError extends Error {
  constructor(
    /** `forbidden-member` when any of the failures is one. */
    readonly kind: ExactJsonKind,
    readonly failures: ExactJsonFailure[],
  ) {
    super(failures[0]?.message ?? kind);
    this.name = 'ExactJsonError';
  }
}

/** Characters that PostgreSQL's text and UTF-8 cannot hold. */
export const unstorableText = /[\0\p{Surrogate}]/u;

export function stringFailure(pointer: string, text: string): ExactJsonFailure {
  return text.includes('\0')
    ? {
        pointer,
        code: 'nul-character',
        message: 'must not hold the character U+0000, which cannot be stored',
      }
    : { pointer, code: 'unpaired-surrogate', message: 'must not hold half of a surrogate pair' };
}

export function numberFailure(pointer: string): ExactJsonFailure {
  const message = 'must be a number that survives IEEE 754 double precision; send it as a string instead';
  return { pointer, code: 'number-not-exact', message };
}

export function memberFailure(pointer: string): ExactJsonFailure {
  return {
    pointer,
    code: 'forbidden-member',
    message: 'must not be named __proto__ or constructor.prototype',
  };
}

export function depthFailure(pointer: string, maxDepth: number): ExactJsonFailure {
  return { pointer, code: 'too-deep', message: `must not be nested deeper than ${maxDepth} levels` };
}

export function errorFrom(failures: ExactJsonFailure[]): ExactJsonError {
  if (failures.some(({ code }) => code === 'malformed-json'))
    return new ExactJsonError('malformed', failures);
  const forbidden = failures.some(({ code }) => code === 'forbidden-member');
  return new ExactJsonError(forbidden ? 'forbidden-member' : 'unstorable', failures);
}
