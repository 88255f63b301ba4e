import type { Definition } from '../../src/domain/collection.js';
import type { Data } from './state.js';

/** What a collection demands, as the model knows it: plain members, and plain functions over them below. */
export interface Rules {
  /** Lists of members whose values together are unique among live records. */
  unique: string[][];
  references: { member: string; collection: string }[];
  /** The schema's bound of `price`, which is then required. */
  maxPrice: number | null;
  /** A price at most doubles. */
  steady: boolean;
  /** What is pinned is not deleted. */
  pinning: boolean;
  approvals: number;
  retention: { keepVersions: number; onExpire: 'archive' | 'delete' } | null;
}

export const noRules: Rules = {
  unique: [],
  references: [],
  maxPrice: null,
  steady: false,
  pinning: false,
  approvals: 0,
  retention: null,
};

/** The same demands in the service's own terms. */
export function toDefinition(rules: Rules): Definition {
  const steady = {
    id: 'steady',
    assert: 'current == null || data.price <= current.price * 2.0',
    message: 'A price at most doubles.',
  };
  const pinning = {
    id: 'pinning',
    assert: 'operation != "delete" || current.pinned == false',
    message: 'What is pinned stays.',
  };
  return {
    ...(rules.maxPrice === null
      ? {}
      : { schema: { required: ['price'], properties: { price: { maximum: rules.maxPrice } } } }),
    rules: [...(rules.steady ? [steady] : []), ...(rules.pinning ? [pinning] : [])],
    unique: rules.unique.map((members) => members.map((member) => `/${member}`)),
    references: rules.references.map(({ member, collection }) => ({ pointer: `/${member}`, collection })),
    ...(rules.approvals === 0 ? {} : { approvals: { required: rules.approvals } }),
    ...(rules.retention === null ? {} : { retention: rules.retention }),
    // Nothing that the model can see depends on it; the audit of the store looks at the mirrors.
    ...(rules.steady === rules.pinning ? { mirror: true } : {}),
  };
}

/** Whether a record may go from `current` to `data` (null: not live) by the schema and rules of its collection. */
export function isAllowed(rules: Rules, data: Data | null, current: Data | null): boolean {
  if (data === null) return !rules.pinning || current?.pinned === false;
  if (rules.maxPrice !== null && !(isNumber(data.price) && data.price <= rules.maxPrice)) return false;
  if (!rules.steady || current === null) return true;
  return isNumber(data.price) && isNumber(current.price) && data.price <= current.price * 2;
}

/** The values of the unique lists that a record takes part in, as text. */
export function uniqueValues(rules: Rules, data: Data): string[] {
  return rules.unique.flatMap((members) => {
    const values = members.map((member) => data[member] ?? null);
    return values.includes(null) ? [] : [JSON.stringify([members, values])];
  });
}

/** The records that a record refers to. */
export function referencesOf(rules: Rules, data: Data): { collection: string; key: string }[] {
  return rules.references.flatMap(({ member, collection }) => {
    const value = data[member] ?? null;
    if (value === null) return [];
    return (Array.isArray(value) ? value : [value]).map((key) => ({ collection, key: String(key) }));
  });
}

const isNumber = (value: unknown): value is number => typeof value === 'number';
