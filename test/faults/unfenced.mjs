// Loaded before the service: its reads do not ask whether what it keeps has changed, after they asked once.
import { Fence } from '../../dist/store/fence.js';

const { whenCovered } = Fence.prototype;
const asked = new Map();

Fence.prototype.whenCovered = function coveredOnce(waiter, collection) {
  if (!asked.has(collection)) {
    const once = new Promise((covered, failed) => whenCovered.call(this, { covered, failed }, collection));
    asked.set(collection, once);
  }
  asked.get(collection).then(waiter.covered, waiter.failed);
};
