import type { Random } from '../support/random.js';
import { keys, type Name, names } from './data.js';
import type { Client, Operation, Saw } from './operations.js';
import { type Address, findPending, nameOf, pendingName, recordAt, type State } from './state.js';

/** What clients remember: states that they saw of pending versions and changesets, and requests with a key. */
export interface Memory {
  /** Stamps by what they are of, the newest last. */
  seen: Map<string, string[]>;
  keyed: Operation[];
}

/** What clients have before them when they decide what to do. */
export interface Scene {
  random: Random;
  state: State;
  memory: Memory;
  /** A name that nothing has had. */
  label(prefix: string): string;
}

export const admin: Client = { name: 'cid', admin: true };

export const clients: Client[] = [
  { name: 'ann', admin: false },
  { name: 'bob', admin: false },
  admin,
  { name: 'dee', admin: false },
  { name: 'anonymous', admin: false, anonymous: true },
];

type At = Address & { changeset: string | null };

export function anyAddress({ random, state }: Scene): Address {
  const inForce = names.filter((name) => state.collections.get(name)?.inForce);
  const collection: Name = random.pick(random.chance(0.02) || inForce.length === 0 ? names : inForce);
  return { collection, key: random.pick(keys[collection]) };
}

/** A record that has been committed once, mostly. */
export function knownRecord(scene: Scene): Address {
  const all = [...scene.state.records.values()];
  const live = all.filter(({ current }) => current !== null);
  const records = live.length > 0 && scene.random.chance(0.7) ? live : all;
  if (records.length === 0 || scene.random.chance(0.1)) return anyAddress(scene);
  const { collection, key } = scene.random.pick(records);
  return { collection, key };
}

/** A title that clients know; sometimes one that was closed, or never was there. */
export function anyTitle({ random, state }: Scene): string {
  const all = [...state.changesets.values()];
  const waiting = all.filter(({ state: is }) => is === 'open' || is === 'scheduled');
  if (waiting.length > 0 && random.chance(0.9)) return random.pick(waiting).title;
  return all.length > 0 && random.chance(0.6) ? random.pick(all).title : 'no changeset';
}

/** The title of an open one, mostly. */
export function openTitle(scene: Scene): string {
  const open = [...scene.state.changesets.values()].filter(({ state }) => state === 'open');
  return open.length > 0 && scene.random.chance(0.85) ? scene.random.pick(open).title : anyTitle(scene);
}

/** Where something may be staged. */
export function anyPlace(scene: Scene): At {
  const { random, state } = scene;
  const open = [...state.changesets.values()].filter((changeset) => changeset.state === 'open');
  const title = open.length > 0 && random.chance(0.9) ? random.pick(open).title : anyTitle(scene);
  const isLone = random.chance(open.length > 0 ? 0.4 : 0.95);
  return { ...anyAddress(scene), changeset: isLone ? null : title };
}

/** Where something is pending, mostly; outside of changesets, if so wanted. */
export function pendingPlace(scene: Scene, isLone = false): At {
  const pendings = scene.state.pendings.filter(({ changeset }) => !isLone || changeset === null);
  if (pendings.length === 0 || scene.random.chance(0.06))
    return { ...anyPlace(scene), ...(isLone ? { changeset: null } : {}) };
  const { collection, key, changeset } = scene.random.pick(pendings);
  return { collection, key, changeset };
}

/** What the caller says it saw: mostly the truth, where something is there. */
export function sawOf({ random, memory }: Scene, name: string, isThere: boolean): { saw?: Saw } {
  const stamps = memory.seen.get(name) ?? [];
  const newest = stamps.at(-1);
  if (random.chance(isThere ? 0.08 : 0.95)) return {};
  if (newest === undefined || random.chance(0.25)) return { saw: 'any' };
  if (random.chance(0.8)) return { saw: { stamp: newest } };
  return { saw: { stamp: random.pick(random.chance(0.5) ? stamps : [...memory.seen.values()].flat()) } };
}

export function sawPending(scene: Scene, at: At): { saw?: Saw } {
  const isThere = findPending(scene.state, at, at.changeset) !== undefined;
  return sawOf(scene, pendingName(at), isThere);
}

/** Half of the time a receipt in place of what was seen, if there is one; mostly the newest. */
function seeing({ random }: Scene, saw: { saw?: Saw }, receipts: string[]): { saw?: Saw; receipt?: string } {
  if (receipts.length === 0 || random.chance(0.5)) return saw;
  const receipt = random.chance(0.7) ? (receipts.at(-1) ?? '') : random.pick(receipts);
  return random.chance(0.1) ? { ...saw, receipt } : { receipt };
}

export function seeingPending(scene: Scene, at: At): { saw?: Saw; receipt?: string } {
  const receipts = [...scene.state.receipts].flatMap(([name, receipt]) =>
    receipt.of === 'pending' && nameOf(receipt.at) === nameOf(at) ? [name] : [],
  );
  return seeing(scene, sawPending(scene, at), receipts);
}

export function seeingChangeset(scene: Scene, title: string): { saw?: Saw; receipt?: string } {
  const receipts = [...scene.state.receipts].flatMap(([name, receipt]) =>
    receipt.of === 'changeset' && receipt.title === title ? [name] : [],
  );
  return seeing(scene, sawOf(scene, title, true), receipts);
}

/** The number of the current version; with the other probability, another. */
export function versionOf({ random, state }: Scene, at: Address, right: number): number | null {
  const record = recordAt(state, at);
  if (random.chance(right)) return record?.current ?? null;
  return record ? 1 + random.below(record.versions.length + 1) : 1;
}

export const someKey = ({ random, label }: Scene): { idempotencyKey?: string } =>
  random.chance(0.35) ? { idempotencyKey: label('key') } : {};

export const someMessage = ({ random, label }: Scene): { message?: string } =>
  random.chance(0.3) ? { message: label('message') } : {};
