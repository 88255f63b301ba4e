import type { Context } from '../../src/commands/context.js';
import { createChangeset } from '../../src/commands/create-changeset.js';
import { ann } from './context.js';

/** An empty changeset; answers its id. */
export async function openChangeset(context: Context): Promise<string> {
  const { changeset } = await createChangeset(context, { title: 'A release', actor: ann });
  return changeset.id;
}
