import { mkdtemp, rm, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import { type StartedService, startService } from '../demo/service.js';
import type { Target } from './load/measure.js';
import { parentOf } from './load/processes.js';
import { seed, withClient } from './records.js';
import { type Etcd, startEtcd } from './references/etcd.js';
import { type Pgbench, preparePgbench } from './references/pgbench.js';
import { type Running, startServer } from './servers/start-server.js';

/** How large everything is. */
export interface Sizes {
  rounds: number;
  seconds: number;
  warmUpSeconds: number;
  /** Of the large store. */
  records: number;
  /** Of a large changeset. */
  members: number;
}

/** A service and its database, to be measured. */
export interface Measured {
  url: string;
  databaseUrl: string;
  target: Target;
  service: StartedService;
}

const PROGRAM = fileURLToPath(new URL('../main.js', import.meta.url));
const PROBE = new URL('./load/probe.js', import.meta.url).href;

type StartPostgres = (options: {
  dataDir: string;
  logger: unknown;
}) => Promise<{ url: string; stop(): Promise<void> }>;

/** Everything that a scenario may need. What is started is started once, when it is asked for first. */
export class World {
  readonly #closers: (() => Promise<unknown>)[] = [];
  readonly #started = new Map<string, Promise<unknown>>();
  readonly #serverUrl: string;
  readonly postmaster: number | null;

  /** The connections that the service has by default, for the references as well. */
  readonly poolSize = Number(process.env.POOL_SIZE) || 10;

  private constructor(
    serverUrl: string,
    postmaster: number | null,
    readonly sizes: Sizes,
  ) {
    this.#serverUrl = serverUrl;
    this.postmaster = postmaster;
  }

  /** Starts the PostgreSQL that comes with the service, with nothing in it. */
  static async open(sizes: Sizes): Promise<World> {
    const directory = await mkdtemp(join(tmpdir(), 'diptych-bench-'));
    // The built service lies beside this program, and is no part of what it is compiled from.
    const { href } = new URL('../store/embedded-postgres.js', import.meta.url);
    const { startEmbeddedPostgres }: { startEmbeddedPostgres: StartPostgres } = await import(href);
    const postgres = await startEmbeddedPostgres({ dataDir: directory, logger: pino({ level: 'silent' }) });
    const backend = await withClient(postgres.url, async (client) => {
      const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
      return parentOf(rows[0]?.pid ?? 0);
    });
    const world = new World(postgres.url, backend, sizes);
    world.#closers.push(() => rm(directory, { recursive: true, force: true }), postgres.stop);
    return world;
  }

  /** The service, with the records that most scenarios use. */
  products(): Promise<Measured> {
    return this.#once('products', async () => {
      const measured = await this.startService(await this.#database('diptych_products'));
      await seed(measured.url);
      return measured;
    });
  }

  /** A database of this name, made when it is asked for first, for whatever tables. */
  database(name: string): Promise<string> {
    return this.#once(`database ${name}`, () => this.#database(name));
  }

  etcd(): Promise<Etcd | null> {
    return this.#once('etcd', async () => {
      const etcd = await startEtcd();
      this.#closers.push(async () => etcd?.stop());
      return etcd;
    });
  }

  pgbench(): Promise<Pgbench | null> {
    return this.#once('pgbench', async () => {
      const pgbench = await preparePgbench(await this.#database('pgbench'), this.postmaster);
      this.#closers.push(async () => pgbench?.stop());
      return pgbench;
    });
  }

  /** Starts a service on this database. */
  async startService(databaseUrl: string): Promise<Measured> {
    const service = await startService(PROGRAM, {
      settings: { DATABASE_URL: databaseUrl },
      nodeArguments: ['--import', PROBE],
      ipc: true,
    });
    this.#closers.push(service.stop);
    const target = { pid: service.child.pid ?? 0, postmaster: this.postmaster, probed: service.child };
    return { url: service.url, databaseUrl, target, service };
  }

  /** Starts one of `servers/`. */
  async startServer(name: string, config: object): Promise<Running> {
    const running = await startServer(name, config);
    this.#closers.push(running.stop);
    return running;
  }

  async version(): Promise<string> {
    return withClient(this.#serverUrl, async (client) => {
      const { rows } = await client.query<{ version: string }>(
        `SELECT current_setting('server_version') AS version`,
      );
      return rows[0]?.version ?? '';
    });
  }

  /** Ends all that was started, the last first. */
  async close(): Promise<void> {
    for (const close of this.#closers.splice(0).reverse()) {
      await close().catch((error: unknown) => console.error(error));
    }
  }

  async #database(name: string): Promise<string> {
    await withClient(this.#serverUrl, (client) => client.query(`CREATE DATABASE ${name}`));
    const url = new URL(this.#serverUrl);
    url.pathname = `/${name}`;
    return url.href;
  }

  #once<T>(name: string, start: () => Promise<T>): Promise<T> {
    const started = (this.#started.get(name) ?? start()) as Promise<T>;
    this.#started.set(name, started);
    return started;
  }
}

/** The log would fill the disk. A line is appended wherever the end of the file is. */
export async function emptyLog({ service }: Measured): Promise<void> {
  await truncate(service.log);
}
