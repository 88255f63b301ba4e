import { COLLECTION } from './examples.js';

export const WEBHOOK_ID = '2f6a4c1e-9b0d-4c57-8a3e-5d1b7e90c4f2';

export const createWebhook = {
  url: 'https://shop.example/hooks/diptych',
  description: 'Prices of the shop',
  collection: COLLECTION,
};

export const webhook = {
  id: WEBHOOK_ID,
  ...createWebhook,
  keyPrefix: null,
  state: 'active',
  pausedBecause: null,
  position: '2',
  lag: 0,
  failures: 0,
  lastError: null,
  nextAttemptAt: null,
  lastDeliveredAt: null,
  createdBy: 'anonymous',
  createdAt: '2026-11-22T12:00:00.000Z',
};

export const createdWebhook = { ...webhook, secret: 'whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oDSiHxPHn3wNE=' };

export const pausedWebhook = { ...webhook, state: 'paused', pausedBecause: 'by-hand' };

export const rotatedWebhook = { ...createdWebhook, previousExpiresAt: '2026-11-23T12:00:00.000Z' };

export const webhookTest = {
  event: 'test_9f0c1a52-6a0e-4a55-8a36-0b6a1f0f3f0e',
  delivered: true,
  status: 204,
  error: null,
  durationMs: 38,
  answer: '',
};

export const delivery = {
  event: 'evt_2_1',
  attempt: 1,
  at: '2026-11-22T12:05:00.000Z',
  delivered: true,
  status: 204,
  error: null,
  durationMs: 41,
};
