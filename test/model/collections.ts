import { isSoundBy } from './judge.js';
import type { Laws } from './laws.js';
import type { Of } from './operations.js';
import { log } from './publish.js';
import { noRules, type Rules } from './rules.js';
import { type Collection, canonical, Refusal, requireCollection, type State } from './state.js';

function checkNumber(
  laws: Laws,
  collection: Collection | undefined,
  saw: 'any' | { number: number } | undefined,
) {
  const isMet =
    collection?.inForce && (saw === 'any' || collection.number === saw?.number || !laws.tagsAreCompared);
  if (saw !== undefined && !isMet) throw new Refusal('precondition-failed');
}

/** Whether a definition takes away what protects a collection from a single person. */
const isLooser = (next: Rules, present: Rules) =>
  next.approvals < present.approvals || canonical(next.retention) !== canonical(present.retention);

export function putCollection(state: State, laws: Laws, op: Of<'put-collection'>): unknown {
  const { collection: name, rules, saw, by } = op;
  const isThere = (other: string) => other === name || state.collections.get(other)?.inForce === true;
  const known = state.collections.get(name);
  const inForce = known?.inForce === true;
  const unchanged = inForce && canonical(known.rules) === canonical(rules);
  checkNumber(laws, known, saw);
  if (inForce && !unchanged && saw === undefined) throw new Refusal('precondition-required');
  if (inForce && laws.onlyAdminsLoosen && !by.admin && isLooser(rules, known.rules))
    throw new Refusal('permission-required');
  if (!rules.references.every(({ collection }) => isThere(collection)))
    throw new Refusal('definition-invalid');
  if (unchanged) return { created: false, unchanged };
  if (laws.definitionMindsRecords && !isSoundBy(state, name, rules)) throw new Refusal('definition-conflict');
  const number = (known?.number ?? 0) + 1;
  state.collections.set(name, { name, rules, number, inForce: true, horizon: known?.horizon ?? 0 });
  logDefinition(state, by.name, { collection: name, number });
  return { created: !inForce, unchanged };
}

function logDefinition(
  state: State,
  author: string,
  definition: { collection: string; number: number | null },
) {
  const none = { message: null, changeset: null, reverts: null, forced: false, changes: [] };
  log(state, { kind: 'definition', author, definition, ...none });
}

/** What a definition would do, as far as it is a matter of yes or no. */
export function rehearseDefinition(state: State, _laws: Laws, op: Of<'rehearse-definition'>): unknown {
  const { collection: name, rules } = op;
  const isThere = (other: string) => other === name || state.collections.get(other)?.inForce === true;
  if (!rules.references.every(({ collection }) => isThere(collection)))
    throw new Refusal('definition-invalid');
  const live = [...state.records.values()].filter(
    (each) => each.collection === name && each.current !== null,
  );
  const pending = state.pendings.filter((each) => each.collection === name);
  return { live: live.length, pending: pending.length, breaks: !isSoundBy(state, name, rules) };
}

export function deleteCollection(state: State, laws: Laws, op: Of<'delete-collection'>): unknown {
  const collection = requireCollection(state, op.collection);
  checkNumber(laws, collection, op.saw);
  const holds = ({ collection: name }: { collection: string }) => name === collection.name;
  const isUsed =
    [...state.records.values()].some((record) => holds(record) && record.current !== null) ||
    state.pendings.some(holds) ||
    [...state.collections.values()].some(
      (other) => other !== collection && other.inForce && other.rules.references.some(holds),
    );
  if (isUsed) throw new Refusal('collection-in-use');
  Object.assign(collection, { inForce: false, rules: noRules satisfies Rules });
  logDefinition(state, op.by.name, { collection: collection.name, number: null });
  return {};
}
