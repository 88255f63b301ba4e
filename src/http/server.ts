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

type Present<T> = { [Name in keyof T]?: Exclude<T[Name], undefined> };

/** The members of `value` that were given: what is undefined is left out. */
export function given<T extends object>(value: T): Present<T> {
  const present: Present<T> = {};
  for (const [name, member] of Object.entries(value)) {
    if (member !== undefined) present[name as keyof T] = member;
  }
  return present;
}
