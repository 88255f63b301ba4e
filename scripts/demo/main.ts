import { fileURLToPath } from 'node:url';
import { type Arguments, readArguments, usage } from './arguments.js';
import type { Elsewhere } from './browser-compat/copy.js';
import { loadReleases } from './browser-compat/features.js';
import { tellBrowserCompatStory } from './browser-compat/story.js';
import { Claims } from './claims.js';
import { Api } from './client.js';
import { Screen } from './screen.js';
import { type Service, startService } from './service.js';
import { tellSpdxStory } from './spdx/story.js';

/** What Ctrl-C has to clean up. */
const started: Service[] = [];

const PROGRAM = fileURLToPath(new URL('../main.js', import.meta.url));

/** Returns the exit code: 0 only when every claim held. */
async function run(): Promise<number> {
  const options = readArguments(process.argv.slice(2), process.env);
  if (options.help) {
    process.stdout.write(`${usage}\n`);
    return 0;
  }
  // A part that does not exist is to be refused before a service is started for it.
  const releases = options.data === 'browser-compat' ? loadReleases(options.part) : null;
  const screen = new Screen(process.stdout, process.env);
  const claims = new Claims(screen);
  screen.heading('Diptych: two records, one switch');
  const service = await serviceFor(options.url, screen);
  cleanUpOnInterrupt(service);
  try {
    const api = new Api(service.url, options.token);
    if (releases === null) {
      await tellSpdxStory(api, screen, claims);
    } else {
      const openElsewhere = () => elsewhereOf(options, screen);
      await tellBrowserCompatStory({ api, screen, claims, releases, part: options.part, openElsewhere });
    }
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

/** A service that the demo did not start has, as far as it knows, no other beside it. */
async function elsewhereOf({ url, token }: Arguments, screen: Screen): Promise<Elsewhere> {
  if (url !== null) {
    const service = { url, stop: () => Promise.resolve() };
    return { service, name: 'another collection', token };
  }
  screen.note('Starting a second service with an empty PostgreSQL of its own …');
  const service = await startService(PROGRAM);
  cleanUpOnInterrupt(service);
  return { service, name: 'a second service', token: null };
}

/** Ctrl-C reaches the services as well, which end by themselves; they must not be left without their clean-up. */
function cleanUpOnInterrupt(service: Service): void {
  started.push(service);
  if (started.length === 1) {
    process.once('SIGINT', () => {
      void Promise.allSettled(started.map((each) => each.stop())).then(() => process.exit(130));
    });
  }
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
