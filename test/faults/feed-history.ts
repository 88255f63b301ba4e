/** What is wrong with the changes that somebody was told of, in the order of their arrival, beside the log. */
export interface FeedFaults {
  missed: number;
  doubled: number;
  outOfOrder: number;
  /** Told of, and not in the log. */
  invented: number;
}

export const noFaults: FeedFaults = { missed: 0, doubled: 0, outOfOrder: 0, invented: 0 };

/** Holds what was told, as places in the log, against the log. */
export function judgeFeed(told: string[], log: string[]): FeedFaults {
  const places = new Map(log.map((place, index) => [place, index]));
  const seen = new Set<string>();
  const faults = { ...noFaults };
  let last = -1;
  for (const place of told) {
    const index = places.get(place);
    if (index === undefined) faults.invented += 1;
    else if (seen.has(place)) faults.doubled += 1;
    else if (index < last) faults.outOfOrder += 1;
    last = Math.max(last, index ?? last);
    seen.add(place);
  }
  faults.missed = log.filter((place) => !seen.has(place)).length;
  return faults;
}

/** The value that so much of all are not above. */
export function quantile(values: number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
