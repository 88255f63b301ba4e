import { explain } from './explain.js';
import { type Law, type Laws, laws } from './laws.js';
import type { Operation } from './operations.js';
import { emptyState, fingerprint, type Outcome, type State } from './state.js';
import { differences, type View, viewModel } from './views.js';

/** What a client has looked at: all lists, and a changeset's preview. */
export interface Look {
  previewed: string | null;
  seen: View;
}

/** Where a planted bug was noticed. */
export interface Finding {
  law: Law;
  seed: number;
  step: number;
}

/** A model with one bug, taken through the same history. */
export interface Mutant {
  law: Law;
  laws: Laws;
  states: State[];
}

/** One for each of these laws. */
export const newMutants = (broken: Iterable<Law>): Mutant[] =>
  [...broken].map((law) => ({ law, laws: { ...laws, [law]: false }, states: [emptyState()] }));

/** Takes mutants one step on by the same comparison as the model; answers those that still pass for it. */
export function survivors(mutants: Mutant[], batch: Operation[], answers: Outcome[], look: Look): Mutant[] {
  return mutants.filter((mutant) => {
    const explained = explain(mutant.states, mutant.laws, batch, answers);
    if ('unexplained' in explained) return false;
    mutant.states = agreeing(explained.states, mutant.laws, look);
    return mutant.states.length > 0;
  });
}

/** Those states, each once, that show what was seen. */
export function agreeing(states: State[], by: Laws, { previewed, seen }: Look): State[] {
  const right = states.filter((state) => differences(viewModel(state, by, previewed), seen).length === 0);
  return [...new Map(right.map((state) => [fingerprint(state), state])).values()];
}
