import { Turns } from './turns.js';

/** So many items are sorted or merged between two looks at the clock. */
const stepSize = 1_000;

/** What `items.toSorted(compare)` answers, with turns for everybody else meanwhile. */
export async function sortInTurns<Item>(
  items: readonly Item[],
  compare: (a: Item, b: Item) => number,
): Promise<Item[]> {
  const turns = new Turns();
  let runs: Item[][] = [];
  for (let start = 0; start < items.length; start += stepSize) {
    runs.push(items.slice(start, start + stepSize).sort(compare));
    await turns.pause();
  }
  while (runs.length > 1) {
    const merged: Item[][] = [];
    for (let at = 0; at < runs.length; at += 2)
      merged.push(await merge(runs[at] ?? [], runs[at + 1] ?? [], compare, turns));
    runs = merged;
  }
  return runs[0] ?? [];
}

async function merge<Item>(
  left: Item[],
  right: Item[],
  compare: (a: Item, b: Item) => number,
  turns: Turns,
): Promise<Item[]> {
  const merged: Item[] = [];
  let [atLeft, atRight] = [0, 0];
  while (atLeft < left.length && atRight < right.length) {
    const [a, b] = [left[atLeft] as Item, right[atRight] as Item];
    // Of equal ones the left comes first, so that the order is stable.
    if (compare(a, b) <= 0) {
      merged.push(a);
      atLeft += 1;
    } else {
      merged.push(b);
      atRight += 1;
    }
    if (merged.length % stepSize === 0) await turns.pause();
  }
  for (; atLeft < left.length; atLeft += 1) merged.push(left[atLeft] as Item);
  for (; atRight < right.length; atRight += 1) merged.push(right[atRight] as Item);
  return merged;
}
