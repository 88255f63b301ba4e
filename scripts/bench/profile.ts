import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { Screen } from '../demo/screen.js';
import { type CpuProfile, framesOf, topFunctions } from './profile/cpu-profile.js';
import { flameGraphOf } from './profile/flame-graph.js';
import type { Scenario, Subject } from './scenario.js';
import { scenarios } from './scenarios/all.js';
import { World } from './world.js';

const usage = `Usage: npm run profile [-- --scenario hot-reads,commits --seconds 10 --out bench-results]

Puts the load of a benchmark on the service with the profiler of V8 in it, and writes for each a .cpuprofile (for
the DevTools of Chromium, or speedscope.app) and a flame graph as a page, and prints which functions work longest.`;

const SIZES = { rounds: 1, warmUpSeconds: 2, records: 20_000, members: 10_000 };
const TOP = 25;
/** Of several loads of one scenario this one is looked at. */
const PREFERRED = 'service-64';

async function run(): Promise<void> {
  const { values } = parseArgs({
    options: {
      scenario: { type: 'string', default: 'hot-reads,commits' },
      seconds: { type: 'string', default: '10' },
      out: { type: 'string', default: 'bench-results' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help) {
    console.log(usage);
    return;
  }
  const names = values.scenario.split(',');
  const chosen = scenarios.filter(({ id }) => names.includes(id));
  const seconds = Number(values.seconds);
  if (chosen.length !== names.length || !(seconds > 0)) {
    throw new Error(
      `--scenario is some of ${scenarios.map(({ id }) => id).join(', ')}, --seconds a number above 0`,
    );
  }
  await mkdir(values.out, { recursive: true });
  const world = await World.open({ ...SIZES, seconds });
  try {
    for (const scenario of chosen) {
      await profileScenario(scenario, world, values.out);
    }
  } finally {
    await world.close();
  }
}

async function profileScenario(scenario: Scenario, world: World, out: string): Promise<void> {
  const screen = new Screen(process.stdout, process.env);
  screen.heading(`${scenario.id}: ${scenario.title}`);
  const { subjects, close } = await scenario.prepare(world, (text) => screen.note(text));
  const subject = subjects.find(({ id }) => id === PREFERRED) ?? subjects[0];
  const probed = subject?.target?.probed;
  if (subject === undefined || probed === undefined) {
    throw new Error(`${scenario.id} has no service`);
  }
  const path = join(out, `${scenario.id}.cpuprofile`);
  const profile = await profiled(subject, probed, { path: resolve(path), world });
  await close?.();
  const graph = join(out, `${scenario.id}.html`);
  await writeFile(graph, await flameGraphOf(framesOf(profile), `${scenario.id}, ${subject.name}`));
  screen.table(
    ['function', 'own time'],
    topFunctions(profile, TOP).map(({ name, part }) => [name, `${(part * 100).toFixed(1)} %`]),
  );
  screen.note(`${path}, ${graph}`);
}

async function profiled(
  { run: load }: Subject,
  probed: ChildProcess,
  { path, world: { sizes } }: { path: string; world: World },
): Promise<CpuProfile> {
  await load(sizes.warmUpSeconds);
  await asked(probed, 'profile');
  await load(sizes.seconds);
  await asked(probed, { save: path });
  return JSON.parse(await readFile(path, 'utf8')) as CpuProfile;
}

async function asked(probed: ChildProcess, question: string | object): Promise<void> {
  probed.send(question);
  await once(probed, 'message');
}

try {
  await run();
} catch (error) {
  console.error(`The profile ended early: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
