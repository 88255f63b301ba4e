import type { Resolutions } from '../../domain/rebase.js';
import { isJsonObject } from '../../lib/json-object.js';
import { isPointer } from '../../lib/json-pointer.js';
import type { JsonValue } from '../../lib/json-value.js';
import type { Resolution } from '../../lib/resolution-tree.js';
import { jsonObject } from './primitives.js';

/** For one record; the first failures say enough. */
const RESOLUTIONS_MAX = 10_000;
const FAILURES_MAX = 100;

const valueSchema = {
  type: 'object',
  properties: { value: { description: 'What shall stand there.' } },
  required: ['value'],
  additionalProperties: false,
};

/** What settles conflicts, by their pointers. */
export const resolutionsMember = jsonObject
  .transform((members, context): Resolutions => {
    const resolutions = new Map<string, Resolution>();
    let failures = 0;
    const refuse = (pointer: string, code: string, message: string) => {
      failures += 1;
      context.addIssue({ code: 'custom', path: [pointer], message, params: { code } });
    };
    if (Object.keys(members).length > RESOLUTIONS_MAX) {
      const message = `Must be at most ${RESOLUTIONS_MAX} members.`;
      context.addIssue({ code: 'custom', message, params: { code: 'out-of-range' } });
      return resolutions;
    }
    for (const [pointer, member] of Object.entries(members)) {
      if (failures >= FAILURES_MAX) break;
      const resolution = toResolution(member);
      if (!isPointer(pointer)) {
        refuse(pointer, 'format', 'Must be a JSON Pointer (RFC 6901) into `data`.');
      } else if (resolution === null) {
        refuse(pointer, 'choice', 'Must be "pending", "current", or an object with the one member `value`.');
      } else {
        resolutions.set(pointer, resolution);
      }
    }
    return resolutions;
  })
  .meta({
    type: 'object',
    maxProperties: RESOLUTIONS_MAX,
    additionalProperties: { anyOf: [{ type: 'string', enum: ['pending', 'current'] }, valueSchema] },
    description:
      'By the `pointer` of each conflict: `"pending"` or `"current"`, whose value shall stand there (or be gone), or `{"value": …}`, another one.',
  });

function toResolution(member: JsonValue): Resolution | null {
  if (member === 'pending' || member === 'current') return member;
  if (!isJsonObject(member) || Object.keys(member).length !== 1) return null;
  const { value } = member;
  return value === undefined ? null : { value };
}
