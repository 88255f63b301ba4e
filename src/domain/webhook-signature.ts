import { createHmac } from 'node:crypto';

/** A secret as Standard Webhooks writes it down. */
export function formatSecret(secret: Buffer): string {
  return `whsec_${secret.toString('base64')}`;
}

/**
 * The headers that prove who sent a body, and when (Standard Webhooks 1.0). Every secret that is still valid signs,
 * so that a receiver may know the old one or the new one.
 */
export function signatureHeaders(
  message: { id: string; at: Date; body: string },
  secrets: readonly Buffer[],
): Record<string, string> {
  const { id, at, body } = message;
  const timestamp = String(Math.floor(at.getTime() / 1_000));
  const signatures = secrets.map(
    (secret) => `v1,${createHmac('sha256', secret).update(`${id}.${timestamp}.${body}`).digest('base64')}`,
  );
  return {
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': signatures.join(' '),
  };
}
