import { fileURLToPath } from 'node:url';

/** What V8 writes: a tree of functions, and which of them was at work at each sample. */
export interface CpuProfile {
  nodes: ProfileNode[];
  samples: number[];
  /** Microseconds since the sample before. */
  timeDeltas: number[];
}

interface ProfileNode {
  id: number;
  callFrame: { functionName: string; url: string; lineNumber: number };
  children?: number[];
}

/** A function as it was called from its parent; `value` is its time in microseconds, with all that it called. */
export interface Frame {
  name: string;
  value: number;
  children: Frame[];
}

/** Waiting is no work, and neither is what the profiler itself does, which is the native `dispatch`. */
const NO_WORK = new Set(['(idle)', '(program)', '(root)', 'dispatch']);
const isWork = ({ callFrame: { functionName, url } }: ProfileNode) =>
  url !== '' || !NO_WORK.has(functionName);

/** The tree of calls with its times, without what is not work. */
export function framesOf(profile: CpuProfile): Frame {
  const byId = new Map(profile.nodes.map((node) => [node.id, node]));
  const self = selfTimesOf(profile);
  const frameOf = (node: ProfileNode): Frame => {
    const children = (node.children ?? []).flatMap((id) => byId.get(id) ?? []).map(frameOf);
    const below = children.reduce((sum, { value }) => sum + value, 0);
    const own = isWork(node) ? (self.get(node.id) ?? 0) : 0;
    return { name: nameOf(node), value: own + below, children: children.filter(({ value }) => value > 0) };
  };
  const root = profile.nodes[0];
  if (root === undefined) {
    throw new Error('the profile is empty');
  }
  return { ...frameOf(root), name: 'all' };
}

/** The functions that were at work longest themselves, and their part of all work. */
export function topFunctions(profile: CpuProfile, count: number): { name: string; part: number }[] {
  const times = new Map<string, number>();
  const self = selfTimesOf(profile);
  for (const node of profile.nodes.filter(isWork)) {
    times.set(nameOf(node), (times.get(nameOf(node)) ?? 0) + (self.get(node.id) ?? 0));
  }
  const all = [...times.values()].reduce((sum, time) => sum + time, 0);
  return [...times]
    .sort(([, a], [, b]) => b - a)
    .slice(0, count)
    .map(([name, time]) => ({ name, part: time / all }));
}

function selfTimesOf({ samples, timeDeltas }: CpuProfile): Map<number, number> {
  const self = new Map<number, number>();
  samples.forEach((id, sample) => {
    self.set(id, (self.get(id) ?? 0) + (timeDeltas[sample] ?? 0));
  });
  return self;
}

/** Function, file and line; the file as it is called in the project or in its package. */
function nameOf({ callFrame: { functionName, url, lineNumber } }: ProfileNode): string {
  const name = functionName || '(anonymous)';
  if (url === '') {
    return name;
  }
  const path = url.startsWith('file:') ? fileURLToPath(url) : url;
  return `${name} ${path.replace(/^.*\/(?:node_modules|dist)\//, '')}:${lineNumber + 1}`;
}
