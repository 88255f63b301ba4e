import { canonicalJson } from '../../lib/canonical-json.js';
import type { Definition } from '../collection.js';

/** A rule about unique values or a reference, by its place in the new definition. */
export interface PlacedReference {
  pointer: string;
  collection: string;
}

/**
 * What a new definition changes about the values and references that the store keeps of live records. Rules
 * that stay in force are kept by the store already, and hold.
 */
export interface ConstraintChange {
  /** Each list of pointers as canonical JSON. */
  unique: { all: string[]; added: Set<number>; removed: string[] };
  references: { all: PlacedReference[]; added: Set<number>; removed: PlacedReference[] };
}

const nameOf = ({ pointer, collection }: PlacedReference) => canonicalJson([pointer, collection]);

/** Compares the rules across records of a definition in force (null: none) with those of the one to come. */
export function compareConstraints(before: Definition | null, after: Definition): ConstraintChange {
  const uniqueOf = ({ unique = [] }: Definition) => unique.map((pointers) => canonicalJson(pointers));
  const referencesOf = ({ references = [] }: Definition) =>
    references.map(({ pointer, collection }) => ({ pointer, collection }));
  return {
    unique: compare(before ? uniqueOf(before) : [], uniqueOf(after), (pointers) => pointers),
    references: compare(before ? referencesOf(before) : [], referencesOf(after), nameOf),
  };
}

function compare<Item>(before: Item[], after: Item[], name: (item: Item) => string) {
  const [known, wanted] = [new Set(before.map(name)), new Set(after.map(name))];
  return {
    all: after,
    added: new Set(after.flatMap((item, place) => (known.has(name(item)) ? [] : [place]))),
    removed: before.filter((item) => !wanted.has(name(item))),
  };
}
