import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { PrismaPg } from '@prisma/adapter-pg';
import {
  bindMigrationAwareSqlAdapterFactory,
  ColumnTypeEnum,
  type SqlDriverAdapter,
  type SqlMigrationAwareDriverAdapterFactory,
} from '@prisma/driver-adapter-utils';
import * as binding from '@prisma/schema-engine-wasm/schema_engine_bg';
import pg from 'pg';

/** Part of Node, but not of its type declarations. */
declare const WebAssembly: {
  instantiate(
    bytes: Uint8Array,
    imports: Record<string, object>,
  ): Promise<{ instance: { exports: Record<string, unknown> } }>;
};

export type SchemaEngine = binding.SchemaEngine;

/** Tables and enums that the engine should not look at: none. */
export const NO_FILTERS = { externalTables: [], externalEnums: [] };

const PG_CHAR_OID = 18;
const PG_BPCHAR_OID = 1042;

/**
 * Lends Prisma's schema engine, in the WebAssembly build that needs no download, connected to one database.
 * @param runScript runs the SQL of a migration, many statements in one text.
 */
export async function withSchemaEngine<T>(
  url: string,
  work: (engine: SchemaEngine) => Promise<T>,
  runScript: (pool: pg.Pool, script: string) => Promise<unknown> = (pool, script) => pool.query(script),
): Promise<T> {
  await loadBinding();
  const pool = new pg.Pool({ connectionString: url, max: 2 });
  // A broken idle connection shows in the next query; without a listener it would end the process.
  pool.on('error', () => {});
  try {
    const factory = bindMigrationAwareSqlAdapterFactory(repaired(pool, (script) => runScript(pool, script)));
    const engine = await binding.SchemaEngine.new({ datamodels: undefined }, () => {}, factory);
    try {
      return await work(engine);
    } finally {
      engine.free();
    }
  } finally {
    await pool.end();
  }
}

let loading: Promise<void> | undefined;

function loadBinding(): Promise<void> {
  loading ??= instantiate();
  return loading;
}

async function instantiate(): Promise<void> {
  // The engine reports a panic here before it traps; the trap becomes the error that the caller sees.
  Object.assign(globalThis, { PRISMA_WASM_PANIC_REGISTRY: { set_message: () => {} } });
  const entry = createRequire(import.meta.url).resolve('@prisma/schema-engine-wasm/schema_engine_bg');
  const bytes = await readFile(join(entry, '..', 'schema_engine_bg.wasm'));
  const { instance } = await WebAssembly.instantiate(bytes, { './schema_engine_bg.js': { ...binding } });
  binding.__wbg_set_wasm(instance.exports);
  const start = instance.exports.__wbindgen_start;
  if (typeof start === 'function') {
    start();
  }
}

/**
 * Prisma's adapter for pg, without the two faults that stand in the engine's way: it cuts scripts at every
 * semicolon, also inside a function's body, and it refuses the catalogue's type "char".
 */
function repaired(
  pool: pg.Pool,
  runScript: (script: string) => Promise<unknown>,
): SqlMigrationAwareDriverAdapterFactory {
  const factory = new PrismaPg(pool);
  const charColumns = tellCharAsText(pool);
  return {
    provider: factory.provider,
    adapterName: factory.adapterName,
    connectToShadowDb: () => factory.connectToShadowDb(),
    connect: async (): Promise<SqlDriverAdapter> => {
      const adapter = await factory.connect();
      const queryRaw = adapter.queryRaw.bind(adapter);
      return Object.assign(adapter, {
        executeScript: async (script: string) => {
          await runScript(script);
        },
        queryRaw: async (query: Parameters<typeof queryRaw>[0]) => {
          const result = await queryRaw(query);
          const columnTypes = result.columnTypes.map((type, index) =>
            charColumns.has(result.columnNames[index] ?? '') ? ColumnTypeEnum.Character : type,
          );
          return { ...result, columnTypes };
        },
      });
    },
  };
}

/** Makes the pool announce columns of type "char" as text, and returns the growing set of their names. */
function tellCharAsText(pool: pg.Pool): ReadonlySet<string> {
  const names = new Set<string>();
  pool.on('connect', (client) => {
    const query = client.query.bind(client) as (...args: unknown[]) => unknown;
    const announce = (result: pg.QueryResult): pg.QueryResult => {
      for (const field of result.fields ?? []) {
        if (field.dataTypeID === PG_CHAR_OID) {
          names.add(field.name);
          field.dataTypeID = PG_BPCHAR_OID;
        }
      }
      return result;
    };
    Object.assign(client, {
      query: (...args: unknown[]) => {
        const callback = args.at(-1);
        if (typeof callback !== 'function') {
          return (query(...args) as Promise<pg.QueryResult>).then(announce);
        }
        return query(...args.slice(0, -1), (error: unknown, result: pg.QueryResult) =>
          callback(error, result && announce(result)),
        );
      },
    });
  });
  return names;
}
