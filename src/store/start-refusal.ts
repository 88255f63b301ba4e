/**
 * The process must not or cannot start with this database, for a reason that its operator can act on.
 * The message is one line: what is wrong and the way out. It is shown without a stack trace.
 */
export class StartRefusal extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'StartRefusal';
  }
}
