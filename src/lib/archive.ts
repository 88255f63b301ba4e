import { promisify } from 'node:util';
import { deflate, inflate } from 'node:zlib';

const compress = promisify(deflate);
const decompress = promisify(inflate);

/** Compresses a text (RFC 1950), on a thread of its own. */
export async function toArchive(text: string): Promise<Buffer> {
  return await compress(text);
}

/** The text that was compressed, character by character. */
export async function fromArchive(archive: Buffer): Promise<string> {
  return (await decompress(archive)).toString();
}
