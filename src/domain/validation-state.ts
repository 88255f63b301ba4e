import { pendingTag } from './entity-tag.js';
import type { PendingValidation } from './record.js';

/** The outcome of the last validation of a pending version, and what it was about. */
export interface StoredValidation {
  valid: boolean;
  errorCount: number;
  warningCount: number;
  /** The store revision of the state that was judged. */
  revision: number;
  /** When, in RFC 3339. */
  at: string;
  edit: number;
  definitionId: number;
  currentVersionId: number | null;
}

interface Validated {
  id: number;
  edit: number;
  validation: StoredValidation | null;
}

/** What a pending version is held against: the record's current version and the definition in force. */
export interface PendingSetting {
  currentVersionId: number | null;
  definitionId: number;
}

/** Where the last validation of a pending version stands. */
export function validationOf(pending: Omit<Validated, 'id'>, setting: PendingSetting): PendingValidation {
  const { validation } = pending;
  if (validation === null) return { state: 'unknown' };
  const holds =
    validation.edit === pending.edit &&
    validation.definitionId === setting.definitionId &&
    validation.currentVersionId === setting.currentVersionId;
  return {
    state: holds ? (validation.valid ? 'valid' : 'invalid') : 'stale',
    validatedRevision: validation.revision,
    validatedAt: validation.at,
    errorCount: validation.errorCount,
    warningCount: validation.warningCount,
  };
}

/** The entity tag of a pending version as it stands. */
export function tagOfPending(pending: Validated, setting: PendingSetting): string {
  const { state, validatedAt } = validationOf(pending, setting);
  const validated = validatedAt === undefined ? 0 : Date.parse(validatedAt).toString(36);
  return pendingTag({
    id: pending.id,
    edit: pending.edit,
    derived: `${setting.currentVersionId ?? 0}.${setting.definitionId}.${state}.${validated}`,
  });
}
