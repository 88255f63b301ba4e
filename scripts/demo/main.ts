import { fileURLToPath } from 'node:url';
import { readArguments, usage } from './arguments.js';
import { Claims } from './claims.js';
import { Api } from './client.js';
import { Screen } from './screen.js';
import { type Service, startService } from './service.js';
import { tellSpdxStory } from './spdx/story.js';

const PROGRAM = fileURLToPath(new URL('../main.js', import.meta.url));

/** Returns the exit code: 0 only when every claim held. */
async function run(): Promise<number> {
  const options = readArguments(process.argv.slice(2), process.env);
  if (options.help) {
    process.stdout.write(`${usage}\n`);
    return 0;
  }
  const screen = new Screen(process.stdout, process.env);
  const claims = new Claims(screen);
  screen.heading('Diptych: two records, one switch');
  const service = await serviceFor(options.url, screen);
  // Ctrl-C reaches the service as well, which ends by itself; here it must not be left without its clean-up.
  process.once('SIGINT', () => void service.stop().finally(() => process.exit(130)));
  try {
    await tellSpdxStory(new Api(service.url, options.token), screen, claims);
  } finally {
    await service.stop();
  }
  return verdict(screen, claims);
}

async function serviceFor(url: string | null, screen: Screen): Promise<Service> {
  if (url !== null) {
    screen.note(`Using the service at ${url}`);
    return { url, stop: () => Promise.resolve() };
  }
  screen.note('Starting a service with an empty PostgreSQL of its own …');
  const service = await startService(PROGRAM);
  screen.note(`It listens at ${service.url}`);
  return service;
}

function verdict(screen: Screen, claims: Claims): number {
  screen.line();
  if (claims.broken.length === 0) {
    screen.line(screen.style(['bold', 'green'], `All ${claims.held} claims held.`));
    return 0;
  }
  screen.line(
    screen.style(
      ['bold', 'red'],
      `${claims.broken.length} of ${claims.held + claims.broken.length} claims did not hold:`,
    ),
  );
  for (const claim of claims.broken) {
    screen.line(`  ✗ ${claim}`);
  }
  return 1;
}

try {
  process.exitCode = await run();
} catch (error) {
  process.stderr.write(`\nThe demo ended early: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
