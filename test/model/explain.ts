import type { Laws } from './laws.js';
import { apply } from './model.js';
import type { Operation } from './operations.js';
import { canonical, findPending, type Outcome, type State } from './state.js';

/**
 * The states that the model can be in after these answers. What was sent at once may have come in any order, but
 * there must be one in which the model answers each the same.
 */
export function explain(
  before: State[],
  laws: Laws,
  batch: Operation[],
  answers: Outcome[],
): { states: State[] } | { unexplained: string[] } {
  const states: State[] = [];
  const predictions = new Set<string>();
  for (const { state, order, lost } of possibilities(before, batch)) {
    const after = structuredClone(state);
    const predicted: Outcome[] = [];
    for (const index of order) {
      const op = batch[index];
      if (op) predicted[index] = lost.includes(index) ? withoutNote(after, laws, op) : apply(after, laws, op);
    }
    if (canonical(predicted) === canonical(answers)) states.push(after);
    else predictions.add(`model:   ${canonical(predicted)} in the order ${order.join()}`);
  }
  return states.length > 0 ? { states } : { unexplained: [...show(batch, answers), ...predictions] };
}

/** Every state before, every order, and every choice of notes that are lost. */
function possibilities(before: State[], batch: Operation[]) {
  return before.flatMap((state) =>
    permutations(batch.map((_, index) => index)).flatMap((order) => {
      const noting = batch.length === 1 ? [] : order.filter((index) => notes(batch[index]));
      return subsets(noting).map((lost) => ({ state, order, lost }));
    }),
  );
}

export const show = (batch: Operation[], answers: Outcome[]) =>
  batch.map((op, index) => `service: ${canonical(answers[index])} to ${canonical(op)}`);

/**
 * Whether an operation notes the outcome of a validation. The note is written after the validation has looked,
 * and is meant to be lost to whatever came between: it is the one effect that is in no order with the rest.
 */
const notes = (op: Operation | undefined) =>
  op?.type === 'validate-pending' || op?.type === 'validate-changeset';

function withoutNote(state: State, laws: Laws, op: Operation): Outcome {
  const noted =
    'title' in op
      ? state.changesets.get(op.title)
      : 'key' in op && 'changeset' in op
        ? findPending(state, op, op.changeset)
        : undefined;
  const before = noted?.validation ?? null;
  const outcome = apply(state, laws, op);
  if (noted) noted.validation = before;
  return outcome;
}

function permutations(items: number[]): number[][] {
  if (items.length < 2) return [items];
  return items.flatMap((item) =>
    permutations(items.filter((other) => other !== item)).map((rest) => [item, ...rest]),
  );
}

function subsets(items: number[]): number[][] {
  const [item, ...others] = items;
  if (item === undefined) return [[]];
  return subsets(others).flatMap((set) => [set, [item, ...set]]);
}
