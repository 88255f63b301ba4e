import { resolve } from 'node:path';
import { z } from 'zod';
import type { Actor } from './domain/actor.js';
import { type AllowList, parseAllowList } from './domain/webhook-address.js';

/** Who may call, and the bearer token that proves it. */
export interface AuthToken {
  actor: Actor;
  token: string;
}

/** What the process was told. Nothing else in the program reads the environment. */
export interface Config {
  host: string;
  /** 0 means any free port. */
  port: number;
  /** Null: the embedded PostgreSQL under `dataDir` is used. */
  databaseUrl: string | null;
  /** Absolute. */
  dataDir: string;
  poolSize: number;
  /** More than one share one port, each with its own connections and cache. */
  processes: number;
  logLevel: LogLevel;
  logFormat: 'auto' | 'json' | 'pretty';
  maxRecordBytes: number;
  maxBodyBytes: number;
  /** Of answers to reads that are kept in memory; 0: none are. */
  cacheMaxBytes: number;
  shutdownTimeoutSeconds: number;
  idempotencyHours: number;
  /** 0: retention runs only when it is told to. */
  retentionIntervalMinutes: number;
  /** Empty: every caller is let in, which is only possible on a loopback address. */
  authTokens: readonly AuthToken[];
  /** Without a trailing slash. */
  publicUrl: string | null;
  /** What webhooks may reach beside the public Internet. */
  webhookAllow: AllowList;
}

export type LogLevel = 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | 'silent';

/** The environment does not make a configuration; each problem is one line that names its variable. */
export class ConfigError extends Error {
  constructor(readonly problems: readonly string[]) {
    super(`The configuration is not usable:\n${problems.map((problem) => `  ${problem}`).join('\n')}`);
    this.name = 'ConfigError';
  }
}

const MEGABYTE = 1024 * 1024;
const DAY_HOURS = 24;

function wholeNumber(min: number, max: number, fallback: number) {
  const message = `must be a whole number from ${min} to ${max}`;
  return z
    .string()
    .regex(/^\d{1,15}$/, message)
    .transform(Number)
    .pipe(z.number().min(min, message).max(max, message))
    .default(fallback);
}

function oneOf<const T extends readonly [string, ...string[]]>(values: T, fallback: T[number]) {
  return z
    .enum(values, `must be one of ${values.join(', ')}`)
    .default(fallback as z.core.util.NoUndefined<T[number]>);
}

function isUrlOf(protocols: readonly string[]): (text: string) => boolean {
  return (text) => URL.canParse(text) && protocols.includes(new URL(text).protocol);
}

const AUTH_TOKENS_FORM =
  'must be a comma-separated list of name:token or name:token:admin, each token at least 32 of the characters A-Z a-z 0-9 . _ ~ + / = -';

const authTokens = z
  .string()
  .transform((text, context): AuthToken[] => {
    const tokens: AuthToken[] = [];
    for (const entry of text.split(',')) {
      // The characters are those of RFC 6750, so that every token fits in an Authorization header.
      const parts = /^([A-Za-z0-9][A-Za-z0-9._@-]{0,62}):([A-Za-z0-9._~+/=-]{32,512})(:admin)?$/.exec(
        entry.trim(),
      );
      const [, name, token, admin] = parts ?? [];
      if (name === undefined || token === undefined) {
        context.addIssue({ code: 'custom', message: AUTH_TOKENS_FORM });
        return z.NEVER;
      }
      tokens.push({ actor: { name, admin: admin !== undefined }, token });
    }
    if (new Set(tokens.map(({ actor }) => actor.name)).size < tokens.length) {
      context.addIssue({ code: 'custom', message: 'must not give one name twice' });
    }
    if (new Set(tokens.map(({ token }) => token)).size < tokens.length) {
      context.addIssue({ code: 'custom', message: 'must not give one token to two names' });
    }
    return tokens;
  })
  .default([]);

const webhookAllow = z
  .string()
  .default('')
  .transform((text, context): AllowList => {
    const allow = parseAllowList(text);
    if (allow !== undefined) return allow;
    context.addIssue({
      code: 'custom',
      message: 'must be a comma-separated list of host names, addresses and networks like 10.1.0.0/16',
    });
    return z.NEVER;
  });

const settings = z.object({
  HOST: z.string().default('127.0.0.1'),
  PORT: wholeNumber(0, 65535, 3000),
  DATABASE_URL: z
    .string()
    .refine(
      isUrlOf(['postgres:', 'postgresql:']),
      'must look like postgresql://user:password@host:5432/database',
    )
    .optional(),
  DATA_DIR: z.string().default('./data'),
  POOL_SIZE: wholeNumber(4, 200, 10),
  PROCESSES: wholeNumber(1, 64, 1),
  LOG_LEVEL: oneOf(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'], 'info'),
  LOG_FORMAT: oneOf(['auto', 'json', 'pretty'], 'auto'),
  MAX_RECORD_BYTES: wholeNumber(1024, 64 * MEGABYTE, MEGABYTE),
  MAX_BODY_BYTES: wholeNumber(1024, 256 * MEGABYTE, 16 * MEGABYTE),
  CACHE_MAX_BYTES: wholeNumber(0, 64 * 1024 * MEGABYTE, 64 * MEGABYTE),
  SHUTDOWN_TIMEOUT_SECONDS: wholeNumber(1, 3600, 20),
  IDEMPOTENCY_HOURS: wholeNumber(1, 365 * DAY_HOURS, DAY_HOURS),
  RETENTION_INTERVAL_MINUTES: wholeNumber(0, 7 * DAY_HOURS * 60, 60),
  AUTH_TOKENS: authTokens,
  PUBLIC_URL: z
    .string()
    .refine(isUrlOf(['http:', 'https:']), 'must look like https://records.example.com')
    .optional(),
  WEBHOOK_ALLOW: webhookAllow,
});

/** The names of all settings, for the test that keeps `.env.example` in step. */
export const settingNames: readonly string[] = Object.keys(settings.shape);

/**
 * Turns the environment into a configuration. A variable that is set to nothing counts as not set.
 * @throws ConfigError with every problem at once; a message never repeats a value, which may be a secret.
 */
export function readConfig(env: NodeJS.ProcessEnv): Config {
  const given = Object.fromEntries(settingNames.map((name) => [name, env[name]?.trim() || undefined]));
  const parsed = settings.safeParse(given);
  if (!parsed.success) {
    throw new ConfigError(parsed.error.issues.map((issue) => `${issue.path.join('.')} ${issue.message}`));
  }
  const value = parsed.data;
  const problems = problemsBetween(value);
  if (problems.length > 0) {
    throw new ConfigError(problems);
  }
  return {
    host: value.HOST,
    port: value.PORT,
    databaseUrl: value.DATABASE_URL ?? null,
    dataDir: resolve(value.DATA_DIR),
    poolSize: value.POOL_SIZE,
    processes: value.PROCESSES,
    logLevel: value.LOG_LEVEL,
    logFormat: value.LOG_FORMAT,
    maxRecordBytes: value.MAX_RECORD_BYTES,
    maxBodyBytes: value.MAX_BODY_BYTES,
    cacheMaxBytes: value.CACHE_MAX_BYTES,
    shutdownTimeoutSeconds: value.SHUTDOWN_TIMEOUT_SECONDS,
    idempotencyHours: value.IDEMPOTENCY_HOURS,
    retentionIntervalMinutes: value.RETENTION_INTERVAL_MINUTES,
    authTokens: value.AUTH_TOKENS,
    publicUrl: value.PUBLIC_URL?.replace(/\/+$/, '') ?? null,
    webhookAllow: value.WEBHOOK_ALLOW,
  };
}

function problemsBetween(value: z.output<typeof settings>): string[] {
  const problems: string[] = [];
  if (value.MAX_BODY_BYTES < value.MAX_RECORD_BYTES) {
    problems.push('MAX_BODY_BYTES must not be smaller than MAX_RECORD_BYTES');
  }
  if (!isLoopback(value.HOST) && value.AUTH_TOKENS.length === 0) {
    problems.push(
      'AUTH_TOKENS must be set when HOST is not a loopback address, or anyone who reaches the port could change ' +
        'everything. Set AUTH_TOKENS=name:token (a token: node -p "crypto.randomBytes(32).toString(\'hex\')"), ' +
        'or leave HOST at 127.0.0.1',
    );
  }
  return problems;
}

/** Whether only programs on this machine can reach `host` (RFC 1122, RFC 4291). */
function isLoopback(host: string): boolean {
  return /^127(\.\d{1,3}){3}$/.test(host) || host === '::1' || host.toLowerCase() === 'localhost';
}
