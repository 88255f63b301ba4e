import type { Figures, Metric } from './figures.js';
import type { Target } from './load/measure.js';
import type { World } from './world.js';

/** What is measured: the service in one use, or one of the references beside it. */
export interface Subject {
  id: string;
  name: string;
  /** The processes that do its work. */
  target?: Target;
  /** One round of about so many seconds. */
  run(seconds: number): Promise<Figures>;
}

/** A comparison, with what the project wants to reach if it wants something. It is told, and never a failure of the run. */
export interface Aim {
  subject: string;
  /** Compared with this subject of the same round; else the figure itself counts. */
  reference?: string;
  metric: Metric;
  bound?: { atLeast: number } | { atMost: number };
  /** What is hoped for beyond the bound. */
  hope?: number;
}

export interface Prepared {
  subjects: Subject[];
  aims: Aim[];
  /** What a reader has to know of this run, such as a reference that is not installed. */
  notes: string[];
  close?(): Promise<void>;
}

export interface Scenario {
  id: string;
  title: string;
  /** What the chart shows. */
  shows: Metric;
  /** Runs once, as long as a round, and only when it is named. */
  once?: boolean;
  /** @param tell for what can be seen while it runs */
  prepare(world: World, tell: (text: string) => void): Promise<Prepared>;
}

/** Those that are there. */
export function present(subjects: (Subject | null | undefined)[]): Subject[] {
  return subjects.filter((subject) => subject !== null && subject !== undefined);
}
