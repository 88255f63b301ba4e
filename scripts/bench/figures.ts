/** What one round measures of one subject. What cannot be had is left out. */
export type Figures = { [Name in Metric]?: number };

/** The columns of the report, in this order: what they are called, and with how many decimals. */
export const metrics = {
  rate: { title: 'per second', decimals: 0 },
  p50Ms: { title: 'p50 ms', decimals: 2 },
  p99Ms: { title: 'p99 ms', decimals: 2 },
  stageMs: { title: 'stage ms', decimals: 0 },
  validateMs: { title: 'validate ms', decimals: 0 },
  commitMs: { title: 'commit ms', decimals: 0 },
  commitWaitMs: { title: 'others waited ms', decimals: 0 },
  revertMs: { title: 'revert ms', decimals: 0 },
  revertWaitMs: { title: 'others waited ms', decimals: 0 },
  besideRate: { title: 'commits/s beside', decimals: 0 },
  besideP99Ms: { title: 'their p99 ms', decimals: 1 },
  serverCpuUs: { title: 'server CPU µs each', decimals: 0 },
  databaseCpuUs: { title: 'database CPU µs each', decimals: 0 },
  rssMb: { title: 'RSS MB', decimals: 0 },
  rssMbPerMinute: { title: 'RSS MB more a minute', decimals: 1 },
  loopDelayP99Ms: { title: 'loop delay p99 ms', decimals: 1 },
  clientCpuPercent: { title: 'client CPU %', decimals: 0 },
  distinctKeys: { title: 'distinct keys', decimals: 0 },
  /** Answers that were not what they have to be. */
  wrong: { title: 'wrong', decimals: 0 },
} as const;

export type Metric = keyof typeof metrics;

export const metricNames = Object.keys(metrics) as Metric[];

/** The middle of several rounds, and how far they lie from it. */
export interface Summary {
  median: number;
  min: number;
  max: number;
  /** The median of the distances from the median. */
  deviation: number;
}

export function summarise(values: number[]): Summary | null {
  const middle = medianOf(values);
  if (middle === null) {
    return null;
  }
  const distances = values.map((value) => Math.abs(value - middle));
  return {
    median: middle,
    min: Math.min(...values),
    max: Math.max(...values),
    deviation: medianOf(distances) ?? 0,
  };
}

function medianOf(values: number[]): number | null {
  const sorted = [...values].sort((a, b) => a - b);
  const [low, high] = [sorted[(sorted.length - 1) >> 1], sorted[sorted.length >> 1]];
  return low === undefined || high === undefined ? null : (low + high) / 2;
}
