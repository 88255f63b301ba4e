import type {
  FastifyBaseLogger,
  FastifyInstance,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';

/** The Fastify app, whose routes get their input typed by their Zod schemas. */
export type Server = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  ZodTypeProvider
>;

/**
 * The bound of handlers that take as long as their client does; the largest that a timer can have. What stands
 * still is ended by other bounds.
 */
export const NO_TIMEOUT_MS = 2 ** 31 - 1;

type Present<T> = { [Name in keyof T]?: Exclude<T[Name], undefined> };

/** The members of `value` that were given: what is undefined is left out. */
export function given<T extends object>(value: T): Present<T> {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as Present<T>;
}
