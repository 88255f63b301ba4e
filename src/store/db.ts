import { PrismaPg } from '@prisma/adapter-pg';
import pg from 'pg';
import { DiptychError } from '../domain/errors.js';
import { PrismaClient } from '../generated/prisma/client.js';
import {
  isConnectionError,
  isRetryable,
  sqlState,
  translated,
  translateError,
  unavailable,
} from './database-errors.js';

/** Something that runs SQL: the pool, or one transaction. */
export interface Executor {
  /** Runs a statement of the program. It is parsed once per connection, so its text must not vary. */
  query<Row extends object>(text: string, values?: unknown[]): Promise<Row[]>;
  /** Runs a statement that is made for one request, or several statements in one text, which need no values. */
  queryOnce<Row extends object>(text: string, values?: unknown[]): Promise<Row[]>;
}

declare const transactionBrand: unique symbol;
declare const writableBrand: unique symbol;

/** A transaction that sees one snapshot and writes nothing. */
export interface Snapshot extends Executor {
  readonly [transactionBrand]: true;
}

/** A statement that may write, in a transaction or as one by itself. */
export interface WritingStatement extends Pick<Executor, 'query'> {
  readonly [writableBrand]: true;
}

/** A transaction that may write. Only `withTransaction` makes one, so a write outside does not compile. */
export interface Tx extends Executor {
  /**
   * Sends a statement of the program whose answer nobody needs, without waiting for it: the statements after it, and
   * in the end COMMIT, travel with it. If it fails, nothing of the transaction happens, and its error is the
   * transaction's.
   */
  send(text: string, values?: unknown[]): void;
  readonly [transactionBrand]: true;
  readonly [writableBrand]: true;
}

export interface Db extends Executor {
  pool: pg.Pool;
  /** Connections at most. */
  poolSize: number;
  /** Typed access for the control plane, on the same pool. */
  prisma: PrismaClient;
  close(): Promise<void>;
}

export interface DatabaseOptions {
  url: string;
  /** Connections at most. */
  poolSize: number;
  /** Told of connections that break while idle. */
  onIdleError?: (error: Error) => void;
}

/** How long a call waits for a free connection before it is refused, in milliseconds. */
const connectTimeoutMs = 5_000;

/**
 * Bounds on the server's side: no statement waits for a lock or runs for ever, and a transaction whose
 * process has stopped answering gives up the head's lock.
 *
 * Everything is looked up by an index. The plans of triggers and foreign keys are kept by each connection: made
 * while a table is tiny they would scan it, and go on doing so for each of the ten thousand rows of a commit that
 * comes before the next ANALYZE.
 */
const sessionOptions = [
  'lock_timeout=10s',
  'statement_timeout=60s',
  'idle_in_transaction_session_timeout=60s',
  'timezone=UTC',
  'enable_seqscan=off',
  'jit=off',
]
  .map((setting) => `-c ${setting}`)
  .join(' ');

const int8Oid = 20;

/** Revisions and ids are far below 2^53, so bigint columns are read as numbers. */
const types: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') =>
    oid === int8Oid
      ? Number
      : pg.types.getTypeParser(oid, format ?? 'text')) as typeof pg.types.getTypeParser,
};

/** Opens the pool; connects lazily. */
export function openDatabase(options: DatabaseOptions): Db {
  const pool = new pg.Pool({
    connectionString: options.url,
    max: options.poolSize,
    pipeline: true,
    connectionTimeoutMillis: connectTimeoutMs,
    options: sessionOptions,
    application_name: 'diptych',
    types,
  });
  pool.on('error', (error) => options.onIdleError?.(error));
  const prisma = new PrismaClient({ adapter: new PrismaPg(pool) });
  return {
    pool,
    poolSize: options.poolSize,
    prisma,
    ...executorOf(pool),
    async close() {
      await prisma.$disconnect();
      await pool.end();
    },
  };
}

/** Attempts of a transaction that the server ends for reasons that pass: deadlock, serialisation. */
const maxAttempts = 5;

/**
 * Runs `work` in one READ COMMITTED transaction. What the server ended for a passing reason is run again,
 * here and nowhere else; anything else rolls back and is thrown.
 *
 * @throws DiptychError `not-ready` when the database cannot be reached or keeps the caller waiting too long;
 *   `outcome-unknown` when the connection broke while committing.
 */
export function withTransaction<T>(db: Db, work: (tx: Tx) => Promise<T>): Promise<T> {
  return retried(() => withConnection(db, (connection) => runTransaction(connection, work)));
}

/**
 * Runs the one statement of `work`, which is a transaction by itself: BEGIN and COMMIT would be two more, and one more
 * answer to wait for.
 */
export function withOneStatement<T>(db: Db, work: (statement: WritingStatement) => Promise<T>): Promise<T> {
  return retried(() => work({ query: db.query } as WritingStatement));
}

/** Runs `work` on one snapshot: everything it reads is the state of one moment. */
export function withSnapshot<T>(db: Db, work: (snapshot: Snapshot) => Promise<T>): Promise<T> {
  return withConnection(db, (connection) => runSnapshot(connection, work));
}

/** One connection for a while, for transactions that share temporary tables or locks that outlast them. */
export interface Session extends Executor {
  snapshot<T>(work: (snapshot: Snapshot) => Promise<T>): Promise<T>;
  transaction<T>(work: (tx: Tx) => Promise<T>): Promise<T>;
  /** Breaks the connection off: whatever still waits for its answer fails. */
  abandon(): void;
}

/** Runs `work` with one connection, whose temporary tables and advisory locks are gone afterwards. */
export function withSession<T>(db: Db, work: (session: Session) => Promise<T>): Promise<T> {
  return withConnection(db, async (connection) => {
    try {
      return await work({
        ...executorOf(connection.client),
        snapshot: (inner) => runSnapshot(connection, inner),
        transaction: (inner) => retried(() => runTransaction(connection, inner)),
        abandon() {
          connection.broken ??= new Error('the connection was given up');
          connection.client.connection.stream.destroy();
        },
      });
    } finally {
      if (connection.broken === undefined) {
        await connection.client
          .query('DISCARD TEMP; SELECT pg_advisory_unlock_all()')
          .catch((error: Error) => {
            connection.broken = error;
          });
      }
    }
  });
}

async function retried<T>(run: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await run();
    } catch (error) {
      if (attempt === maxAttempts || !isRetryable(error)) throw error;
    }
  }
}

interface Connection {
  client: pg.PoolClient;
  /** Why it cannot be used again. */
  broken: Error | undefined;
}

async function withConnection<T>(db: Db, use: (connection: Connection) => Promise<T>): Promise<T> {
  const client = await translated(() => db.pool.connect());
  const connection: Connection = { client, broken: undefined };
  const onError = (error: Error) => {
    connection.broken = error;
  };
  client.on('error', onError);
  try {
    return await use(connection);
  } finally {
    client.off('error', onError);
    client.release(connection.broken);
  }
}

const executorOf = (source: pg.Pool | pg.PoolClient): Executor => ({
  query: (text, values) => translated(async () => (await runPrepared(source, text, values)).rows),
  queryOnce: (text, values) => translated(async () => (await source.query(text, values)).rows),
});

function runPrepared(
  source: pg.Pool | pg.PoolClient,
  text: string,
  values: unknown[] = [],
): Promise<pg.QueryResult> {
  if ('connection' in source) gatherWrites(source);
  return source.query({ name: statementName(text), text, values });
}

const gathering = new WeakSet<pg.Connection['stream']>();

/** Bytes that wait for what else is sent in the same turn; a server that has more can begin. */
const maxGathered = 64 * 1024;

/** What is sent in one turn goes into one packet: each write to a socket costs as much as a small statement. */
function gatherWrites({ connection: { stream } }: pg.PoolClient): void {
  if (gathering.has(stream)) {
    if (stream.writableLength < maxGathered) return;
    flush(stream);
  }
  gathering.add(stream);
  stream.cork();
  process.nextTick(flush, stream);
}

function flush(stream: pg.Connection['stream']): void {
  if (gathering.delete(stream)) stream.uncork();
}

const statementNames = new Map<string, string>();

/** By this name a connection knows the statement once it has parsed it. */
function statementName(text: string): string {
  const known = statementNames.get(text);
  if (known !== undefined) return known;
  const name = `s${statementNames.size + 1}`;
  statementNames.set(text, name);
  return name;
}

const runTransaction = <T>(connection: Connection, work: (tx: Tx) => Promise<T>) =>
  runIn(connection, 'BEGIN', (executor, sent) =>
    work({
      ...executor,
      send: (text, values) => sent.add(runPrepared(connection.client, text, values)),
    } as Tx),
  );

const runSnapshot = <T>(connection: Connection, work: (snapshot: Snapshot) => Promise<T>) =>
  runIn(connection, 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY', (executor) =>
    work(executor as Snapshot),
  );

/** Statements that have been sent and that nobody waits for, until their transaction ends. */
class SentStatements {
  /** Why the first of them failed, if that was its own fault: one that follows another's tells nothing. */
  failure: unknown;
  /** Whether the server has refused one of them, so that COMMIT does nothing. */
  isRefused = false;
  #last: Promise<unknown> = Promise.resolve();

  /** Answers come in the order of the statements. */
  add(statement: Promise<unknown>): void {
    this.#last = statement.catch((error: unknown) => {
      this.isRefused ||= sqlState(error) !== undefined;
      if (sqlState(error) !== '25P02') this.failure ??= error;
    });
  }

  /** Waits for all of them. */
  async settle(): Promise<void> {
    await this.#last;
  }
}

async function runIn<T>(
  connection: Connection,
  begin: string,
  work: (executor: Executor, sent: SentStatements) => Promise<T>,
): Promise<T> {
  const { client } = connection;
  const sent = new SentStatements();
  let committing = false;
  try {
    gatherWrites(client);
    sent.add(client.query(begin));
    const result = await work(executorOf(client), sent);
    committing = true;
    const { command } = await client.query('COMMIT');
    // What has been aborted is rolled back, and that is no error of COMMIT.
    if (command === 'COMMIT') return result;
    committing = false;
    throw new Error('a statement failed, and its error was passed over');
  } catch (caught) {
    await sent.settle();
    const error = sent.failure ?? caught;
    // A statement before COMMIT that the server refused, and then COMMIT has done nothing.
    const hasNotCommitted = !committing || sent.isRefused;
    // What the server did not refuse itself while committing may have happened.
    if (isConnectionError(error) || connection.broken || (committing && sqlState(error) === undefined)) {
      connection.broken ??= error instanceof Error ? error : new Error(String(error));
      throw hasNotCommitted
        ? unavailable(error)
        : new DiptychError(
            'outcome-unknown',
            'The connection broke while the transaction was being committed.',
          );
    }
    await client.query('ROLLBACK').catch((rollbackError: Error) => {
      connection.broken = rollbackError;
    });
    throw translateError(error);
  }
}
