/** Turns that are waited for at most. */
const maxTurns = 8;

/**
 * Calls `go` after the first turn of the event loop that has brought nothing more, or after a few: what comes in
 * by many connections at once is spread over some turns. Alone one waits for a single turn.
 *
 * @param count how much there is by now
 */
export function onceQuiet(count: () => number, go: () => void): void {
  let seen = count();
  let turns = 0;
  const look = () => {
    turns += 1;
    const found = count();
    if (found === seen || turns === maxTurns) {
      go();
      return;
    }
    seen = found;
    setImmediate(look);
  };
  setImmediate(look);
}
