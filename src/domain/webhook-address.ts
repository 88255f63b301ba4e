import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import { bareHost } from '../lib/bare-host.js';

type Address = ipaddr.IPv4 | ipaddr.IPv6;

/** What an operator has said webhooks may reach beside the public Internet. */
export interface AllowList {
  /** Names of hosts, trusted wherever they lead. */
  hosts: ReadonlySet<string>;
  networks: readonly [Address, number][];
}

export const nothingAllowed: AllowList = { hosts: new Set(), networks: [] };

/** Public by its number, and yet inside: where a virtual machine in Azure asks for its own settings. */
const metadataAddresses = new Set(['168.63.129.16']);

/** All global unicast addresses of IPv6 lie here; whatever is elsewhere leads inside, back to IPv4, or nowhere. */
const globalUnicast = ipaddr.IPv6.parseCIDR('2000::/3');

/** Reads a list like `receiver.internal, 10.1.0.0/16, [::1]`; undefined for an entry that is neither host nor network. */
export function parseAllowList(text: string): AllowList | undefined {
  const hosts = new Set<string>();
  const networks: [Address, number][] = [];
  for (const part of text.split(',').map((each) => each.trim())) {
    if (part === '') continue;
    const [host = '', ...bits] = part.split('/');
    const entry = [bareHost(host), ...bits].join('/');
    const network = networkOf(entry);
    const name = network === undefined ? hostOf(entry) : undefined;
    if (network !== undefined) networks.push(network);
    else if (name !== undefined) hosts.add(name);
    else return undefined;
  }
  return { hosts, networks };
}

function networkOf(entry: string): [Address, number] | undefined {
  // Only the plain form: a person who writes 10.1/16 may mean another network than a parser does.
  const isPlain = entry.includes(':') || /^\d+(\.\d+){3}(\/\d+)?$/.test(entry);
  if (!isPlain) return undefined;
  if (ipaddr.isValidCIDR(entry)) return ipaddr.parseCIDR(entry);
  if (!ipaddr.isValid(entry)) return undefined;
  const address = ipaddr.parse(entry);
  return [address, address.kind() === 'ipv4' ? 32 : 128];
}

function hostOf(entry: string): string | undefined {
  if (!/^[\p{L}\p{N}]([\p{L}\p{N}.-]*[\p{L}\p{N}])?$/u.test(entry)) return undefined;
  const url = `http://${entry}/`;
  if (!URL.canParse(url)) return undefined;
  const { hostname } = new URL(url);
  // What a URL reads as a number is an address in an odd spelling.
  return ipaddr.isValid(hostname) ? undefined : hostname;
}

export function isHostAllowed(host: string, allow: AllowList): boolean {
  return allow.hosts.has(host);
}

/**
 * Why nothing is sent to an address: the kind of network that it lies in, or null when it may be reached. Decided
 * from the bytes, so that no spelling makes a difference.
 */
export function refusalOfAddress(text: string, allow: AllowList): string | null {
  const address = addressOf(text);
  if (address === undefined) return 'unknown';
  if (allow.networks.some(([network, bits]) => isWithin(address, network, bits))) return null;
  const range: string = address.range();
  if (range !== 'unicast') return range;
  if (metadataAddresses.has(address.toString())) return 'metadata';
  return address.kind() === 'ipv4' || address.match(globalUnicast) ? null : 'unassigned';
}

function addressOf(text: string): Address | undefined {
  const url = `http://${isIP(text) === 6 ? `[${text}]` : text}/`;
  if (isIP(text) === 0 || !URL.canParse(url)) return undefined;
  // In hexadecimal only: ipaddr.js takes ::1.2.3.4, which is not mapped, for ::ffff:1.2.3.4, which is. The latter is
  // where a connection goes over IPv4.
  return ipaddr.process(bareHost(new URL(url).hostname));
}

const isWithin = (address: Address, network: Address, bits: number) =>
  address.kind() === network.kind() && address.match(network, bits);
