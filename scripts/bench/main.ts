import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Screen } from '../demo/screen.js';
import { type Arguments, readArguments, usage } from './arguments.js';
import { chartOf } from './report/chart.js';
import { toMarkdown } from './report/markdown.js';
import { countWrong, type Results, startResults } from './report/results.js';
import { printScenario } from './report/table.js';
import { environmentText } from './report/text.js';
import { runScenario } from './rounds.js';
import { scenarios } from './scenarios/all.js';
import { World } from './world.js';

const RESULTS = 'results.json';

/** Returns the exit code: 0 when everything ran and every answer was right, however fast. */
async function run(): Promise<number> {
  const options = readArguments(process.argv.slice(2));
  if (options.action === 'help') {
    console.log(usage);
    return 0;
  }
  if (options.action === 'markdown') {
    console.log(toMarkdown(JSON.parse(await readFile(join(options.out, RESULTS), 'utf8')) as Results));
    return 0;
  }
  const results = await measureAll(options);
  return results.scenarios.some((result) => countWrong(result) > 0) ? 1 : 0;
}

async function measureAll({ only, sizes, out }: Arguments): Promise<Results> {
  const screen = new Screen(process.stdout, process.env);
  const progress = new Screen(process.stderr, process.env);
  const chosen = scenarios.filter(({ id, once }) => (only.length === 0 ? !once : only.includes(id)));
  await mkdir(out, { recursive: true });
  // A chart of another run would not belong to these results.
  await Promise.all(scenarios.map(({ id }) => rm(join(out, `${id}.svg`), { force: true })));
  const world = await World.open(sizes);
  cleanUpOnInterrupt(world);
  try {
    const results = await startResults(world);
    screen.heading('Diptych: benchmarks');
    screen.note(environmentText(results));
    for (const scenario of chosen) {
      screen.heading(`${scenario.id}: ${scenario.title}`);
      const result = await runScenario(scenario, world, (text) => progress.note(text));
      results.scenarios.push(result);
      printScenario(result, screen);
      // Written each time: what has been measured is kept when something fails later.
      await writeFile(join(out, RESULTS), `${JSON.stringify(results, null, 2)}\n`);
      await writeFile(join(out, `${scenario.id}.svg`), chartOf(result));
    }
    screen.line(`\nWritten to ${join(out, RESULTS)}, with a chart of each scenario beside it.`);
    return results;
  } finally {
    await world.close();
  }
}

function cleanUpOnInterrupt(world: World): void {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, async () => {
      await world.close();
      process.exit(130);
    });
  }
}

try {
  process.exitCode = await run();
} catch (error) {
  console.error(`The benchmarks ended early: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
