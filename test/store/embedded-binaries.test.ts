import { existsSync } from 'node:fs';
import { mkdir, readlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { findBinaries, restoreSymlinks } from '../../src/store/embedded/binaries.js';
import { canPass, unprivilegedUsers } from '../../src/store/embedded/run-as.js';
import { temporaryDirectory } from '../support/embedded.js';

describe('findBinaries', () => {
  test('finds the programs of this platform', () => {
    expect(Object.values(findBinaries()).map((path) => existsSync(path))).toEqual([true, true, true]);
  });

  test('a platform without a package is told how to go on', () => {
    expect(() => findBinaries('plan9', 'x64')).toThrow(
      /not installed for plan9 on x64 .*Set DATABASE_URL to a PostgreSQL server/,
    );
  });
});

describe('restoreSymlinks', () => {
  test('makes the links that the install script did not make, and keeps those that are there', async () => {
    const root = await temporaryDirectory();
    await mkdir(join(root, 'native', 'lib'), { recursive: true });
    await writeFile(join(root, 'native', 'lib', 'libpq.so.5.18'), 'library');
    const links = [{ source: 'native/lib/libpq.so.5.18', target: 'native/lib/libpq.so.5' }];
    await writeFile(join(root, 'native', 'pg-symlinks.json'), JSON.stringify(links));
    restoreSymlinks(root);
    restoreSymlinks(root);
    expect(await readlink(join(root, 'native', 'lib', 'libpq.so.5'))).toBe('libpq.so.5.18');
  });
});

describe('who PostgreSQL may run as', () => {
  test('nobody comes before postgres, and no user that is root by number', () => {
    const passwd = [
      'root:x:0:0::/root:/bin/sh',
      'postgres:x:101:104::/:/bin/sh',
      'nobody:x:65534:65534::/:/bin/false',
    ];
    expect(unprivilegedUsers(passwd.join('\n')).map(({ name, uid, gid }) => [name, uid, gid])).toEqual([
      ['nobody', 65534, 65534],
      ['postgres', 101, 104],
    ]);
    expect(unprivilegedUsers('nobody:x:0:0::/:/bin/false\n')).toEqual([]);
  });

  test('a directory can be passed by its owner, its group or others as its mode says, and so can all above', async () => {
    const directory = join(await temporaryDirectory(), 'a', 'b');
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const stranger = 54_321;
    expect(canPass(directory, stranger, stranger)).toBe(false);
    expect(canPass('/', stranger, stranger)).toBe(true);
  });
});
