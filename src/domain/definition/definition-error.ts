import type { Failure } from '../failure.js';

/** A definition is refused; pointers point into the definition. */
export class DefinitionError extends Error {
  constructor(readonly failures: Failure[]) {
    super(`definition refused: ${failures[0]?.message ?? ''}`);
    this.name = 'DefinitionError';
  }
}
