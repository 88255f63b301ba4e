import { DiptychError } from '../../domain/errors.js';
import type { Settlement } from '../../domain/webhook-delivery.js';
import { Gate } from '../../lib/gate.js';
import { GroupQueue } from '../../lib/group-queue.js';
import type { Session } from '../../store/db.js';
import {
  type ActiveWebhook,
  findReceivers,
  listActiveWebhooks,
  type Receiver,
  settleWebhooks,
  signOfLife,
  type WebhookTurn,
} from '../../store/webhook-sender.js';

/** What the leader asks and writes, all of it on the session that holds its lock. */
export interface LeadSession {
  /** The endpoints that are not paused. */
  listWebhooks: () => Promise<ActiveWebhook[]>;
  /** Where an event of this turn goes, and what signs it; null when it is paused, or was moved or changed since. */
  findReceiver: (turn: WebhookTurn) => Promise<Receiver | null>;
  /**
   * Writes what became of an endpoint; false when that counts no more, because it was moved or removed meanwhile.
   * Two settlements of one endpoint must not be under way together.
   */
  settle: (settlement: Settlement) => Promise<boolean>;
  /** A sign of life, for a server that ends silent sessions. It waits behind all that is under way. */
  beat: () => Promise<unknown>;
}

/** Nobody comes to wait so long: a session that does not answer is given up before. */
const maxWaitMs = 60_000;

/** What comes while the session is busy goes together in the next statement, or transaction. */
export function openLeadSession(session: Session): LeadSession {
  const refuse = () => new DiptychError('not-ready', 'Too many deliveries wait for the database.');
  // What is asked must not come in between the statements of a transaction.
  const oneByOne = new Gate(1, { maxWaitMs, refuse });
  const inGroups = <Request, Outcome>(
    nameOf: (request: Request) => string,
    run: (group: Request[]) => Promise<Outcome[]>,
  ) =>
    new GroupQueue<Request, Outcome>({
      run: (group) => oneByOne.run(() => run(group)),
      nameOf,
      weightOf: () => 1,
      maxWeight: 256,
      maxGroup: 256,
      lanes: 1,
      maxWaiting: 10_000,
      maxWaitingWeight: 10_000,
      refuse,
      isShared: (error) => error instanceof DiptychError,
    });
  const settlements = inGroups<Settlement, boolean>(
    ({ webhookId }) => webhookId,
    async (group) => {
      const counted = await session.transaction((tx) => settleWebhooks(tx, group));
      return group.map(({ webhookId }) => counted.has(webhookId));
    },
  );
  const receivers = inGroups<WebhookTurn, { found: Receiver | null }>(
    ({ webhookId }) => webhookId,
    async (group) => {
      const found = await findReceivers(session, group);
      return group.map(({ webhookId }) => ({ found: found.get(webhookId) ?? null }));
    },
  );
  return {
    listWebhooks: () => oneByOne.run(() => listActiveWebhooks(session)),
    findReceiver: async (turn) => (await receivers.submit(turn)).found,
    settle: (settlement) => settlements.submit(settlement),
    beat: () => oneByOne.run(() => signOfLife(session)),
  };
}
