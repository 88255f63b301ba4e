import { assembleEngine, engineVersions } from './engine.js';

/** The engines are there before the first test starts a job. */
export async function setup(): Promise<void> {
  for (const version of engineVersions) await assembleEngine(version);
}
