import { findHead } from '../store/head.js';
import type { QueryContext } from './context.js';

const timeoutMs = 1_000;

/** Whether the database answers within a second, with its tables in place. */
export async function checkReadiness(
  context: Pick<QueryContext, 'db'>,
): Promise<{ ready: boolean; checks: { database: string } }> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve('no answer within a second'), timeoutMs);
  });
  const asked = findHead(context.db).then(
    () => 'ok',
    () => 'cannot be reached',
  );
  const database = await Promise.race([asked, late]);
  clearTimeout(timer);
  return { ready: database === 'ok', checks: { database } };
}
