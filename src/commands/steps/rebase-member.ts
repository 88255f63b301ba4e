import type { Actor } from '../../domain/actor.js';
import { DiptychError } from '../../domain/errors.js';
import type { Failure } from '../../domain/failure.js';
import { type Resolutions, rebaseStates, type StoredResolution } from '../../domain/rebase.js';
import { toContent } from '../../domain/stage.js';
import { canonicalJson } from '../../lib/canonical-json.js';
import type { JsonObject, JsonValue } from '../../lib/json-value.js';
import type { Conflict, MergeKeyOf, Resolved } from '../../lib/merge-json.js';
import type { RebasedRow } from '../../store/rebase.js';

/** What a pending version was started from: nothing where the record was not live, or what retention has deleted. */
export type Base = 'none' | 'lost' | { content: string };

/** @param content null: deleted */
export const toBase = (content: string | null): Base => (content === null ? 'lost' : { content });

/** An outdated pending version, with what it was started from and what is current now. */
export interface OutdatedMember {
  id: number;
  content: string | null;
  resolutions: StoredResolution[];
  base: Base;
  currentVersionId: number | null;
  currentContent: string | null;
}

export interface RebaseOptions {
  resolutions: Resolutions;
  /** Where they stand in the request, for failures. */
  pointer: string;
  mergeKeyAt: MergeKeyOf;
  maxRecordBytes: number;
  actor: Actor;
}

/** What is to be written, the places where somebody must decide, or what is amiss with the resolutions. */
export type RebaseStep = { row: RebasedRow } | { conflicts: Conflict[] } | { failures: Failure[] };

/**
 * Decides what one pending version is on the current base.
 *
 * @throws DiptychError when what comes out of it cannot be stored
 */
export function rebaseMember(member: OutdatedMember, options: RebaseOptions): RebaseStep {
  const { base } = member;
  const rebased = rebaseStates(
    {
      base: base === 'lost' ? base : parsed(base === 'none' ? null : base.content),
      current: parsed(member.currentContent),
      pending: parsed(member.content),
    },
    options.resolutions,
    options,
  );
  if (!('data' in rebased)) return rebased;
  const { maxRecordBytes } = options;
  const content = rebased.data && toContent(rebased.data, { maxRecordBytes, pointer: '/data' });
  const resolutions = toStored(rebased.resolved, options.actor);
  requireRoom([...member.resolutions, ...resolutions], maxRecordBytes);
  return {
    row: {
      id: member.id,
      baseVersionId: member.currentVersionId,
      content: content?.content ?? null,
      digest: content && Buffer.from(content.digest, 'hex'),
      resolutions,
      isAuthored: rebased.resolved.some(({ changed }) => changed),
    },
  };
}

const parsed = (content: string | null): JsonObject | null => (content === null ? null : JSON.parse(content));

function toStored(resolved: Resolved[], actor: Actor): StoredResolution[] {
  const at = new Date().toISOString();
  return resolved.map(({ pointer, resolution }) => ({ pointer, resolution, by: actor.name, at }));
}

/** What is kept about a content may be as large as the content; rebasing again and again must not fill the store. */
function requireRoom(resolutions: StoredResolution[], maxRecordBytes: number): void {
  const bytes = Buffer.byteLength(canonicalJson(resolutions as unknown as JsonValue));
  if (bytes <= maxRecordBytes) return;
  throw new DiptychError(
    'record-too-large',
    `The resolutions of this pending version would have ${bytes} bytes; at most ${maxRecordBytes} are kept. Stage it anew, whole, to begin without them.`,
  );
}
