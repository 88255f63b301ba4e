/** Whether this is the whole set, `npm run test:full`, and not the one that every change runs. */
export const isFull = process.env.FULL === '1';

/** How much of something a test does: `ci` on every change, `full` in the whole set. */
export function size(ci: number, full: number): number {
  return isFull ? full : ci;
}
