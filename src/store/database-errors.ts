import pg from 'pg';
import { DiptychError } from '../domain/errors.js';

/** Whether the connection was lost, or none could be had: whoever shared the transaction fails with it. */
export function isConnectionLost(error: unknown): boolean {
  if (!(error instanceof DiptychError)) return false;
  return error.code === 'outcome-unknown' || isConnectionError(error.cause);
}

/** Whether somebody else's lock was waited for in vain. */
export function isLockTimeout(error: unknown): boolean {
  return error instanceof DiptychError && sqlState(error.cause) === '55P03';
}

/** SQLSTATE of an error that PostgreSQL reported, else undefined. */
export function sqlState(error: unknown): string | undefined {
  return error instanceof pg.DatabaseError ? error.code : undefined;
}

/** Whether the server ended a transaction for a reason that passes: deadlock, serialisation. */
export function isRetryable(error: unknown): boolean {
  const state = sqlState(error);
  return state === '40001' || state === '40P01';
}

/** Class 08 is a broken connection, 57P01 to 57P03 a server that stops or starts, 53300 too many connections. */
export function isConnectionError(error: unknown): boolean {
  const state = sqlState(error);
  if (state !== undefined) return state.startsWith('08') || state.startsWith('57P') || state === '53300';
  if (!(error instanceof Error)) return false;
  const code = 'code' in error ? error.code : undefined;
  return (
    (typeof code === 'string' &&
      /^(ECONN|EPIPE|ETIMEDOUT|ENOTFOUND|EHOSTUNREACH|ENETUNREACH|ENOENT)/.test(code)) ||
    /timeout exceeded when trying to connect|Connection terminated|Client has encountered a connection error|not queryable/.test(
      error.message,
    )
  );
}

/** The refusal that stands for a database that cannot be reached. */
export function unavailable(error: unknown): DiptychError {
  const refusal = new DiptychError('not-ready', 'The database cannot be reached at the moment.', {
    retryAfterSeconds: 1,
  });
  refusal.cause = error;
  return refusal;
}

/** What is thrown in place of an error. 55P03 is lock_timeout, 57014 statement_timeout, 53xxx a full disk or exhausted memory. */
export function translateError(error: unknown): unknown {
  if (error instanceof DiptychError) return error;
  if (isConnectionError(error)) return unavailable(error);
  const state = sqlState(error);
  if (state === '55P03' || state === '57014' || state?.startsWith('53')) {
    const refusal = new DiptychError('not-ready', 'The database is too busy or out of room at the moment.', {
      retryAfterSeconds: 2,
    });
    refusal.cause = error;
    return refusal;
  }
  return error;
}

/** P1xxx: the server cannot be reached; P2024, P2028: no connection in time. */
const prismaUnavailable = /^(P1\d{3}|P2024|P2028)$/;

/** Runs a statement of Prisma's client, whose errors have codes of their own. */
export async function throughPrisma<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    throw prismaUnavailable.test(code) ? unavailable(error) : translateError(error);
  }
}

/** Runs a statement; what the database cannot do at the moment becomes a refusal. */
export async function translated<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    throw translateError(error);
  }
}
