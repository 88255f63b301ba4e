// Loaded before the service: it tries again at once what a receiver has not taken.
import { retryBounds } from '../../dist/domain/webhook-retry.js';

Object.assign(retryBounds, { firstMs: 5, mostMs: 50 });
