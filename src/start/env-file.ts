import { loadEnvFile } from 'node:process';
import { ConfigError } from '../config.js';

/**
 * Adds the settings of an `.env` file in the working directory to the environment, where a variable that is
 * already set wins. A missing file is no error.
 * @throws ConfigError when there is a file that cannot be read.
 */
export function loadEnvFileIfPresent(path = '.env'): void {
  try {
    loadEnvFile(path);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code !== 'ENOENT') {
      throw new ConfigError([`${path} cannot be read (${String(code)})`]);
    }
  }
}
