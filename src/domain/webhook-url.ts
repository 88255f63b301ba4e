import { isIP } from 'node:net';
import { bareHost } from '../lib/bare-host.js';
import { DiptychError } from './errors.js';
import type { Failure } from './failure.js';
import { type AllowList, isHostAllowed, refusalOfAddress } from './webhook-address.js';

/**
 * What is wrong with the URL of a receiver, as far as it can be told without asking anybody: names are checked by
 * what they lead to, when the connection is made. The parser of URLs has made one spelling of an address of all.
 */
export function failuresOfUrl(text: string, allow: AllowList): Failure[] {
  const failure = (code: string, message: string): Failure => ({ pointer: '/url', code, message });
  if (!URL.canParse(text)) return [failure('format', 'Must be an absolute URL.')];
  const url = new URL(text);
  const failures: Failure[] = [];
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    return [failure('scheme', 'Must begin with https:// or http://.')];
  if (url.username !== '' || url.password !== '')
    failures.push(failure('credentials', 'Must carry no name and password: receivers check the signature.'));
  if (url.hash !== '') failures.push(failure('fragment', 'Must have no fragment, which is never sent.'));
  const host = bareHost(url.hostname);
  if (isHostAllowed(host, allow)) return failures;
  const refusal = isIP(host) === 0 ? refusalOfName(host) : refusalOfAddress(host, allow);
  if (refusal !== null)
    failures.push(
      failure(
        'private-address',
        `Must lead to the public Internet; this is ${refusal}. Whoever runs the service can allow it by WEBHOOK_ALLOW.`,
      ),
    );
  return failures;
}

const refusalOfName = (host: string) => (/(^|\.)localhost$/.test(host) ? 'loopback' : null);

/** @throws DiptychError `webhook-url-refused` with everything that is wrong */
export function requireUrl(text: string, allow: AllowList): string {
  const errors = failuresOfUrl(text, allow);
  if (errors.length === 0) return new URL(text).href;
  throw new DiptychError('webhook-url-refused', 'Nothing is sent to that URL; see errors.', { errors });
}
