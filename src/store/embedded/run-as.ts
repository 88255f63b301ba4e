import { type SpawnOptions, spawnSync } from 'node:child_process';
import { lchownSync, lstatSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { StartRefusal } from '../start-refusal.js';
import type { Binaries } from './binaries.js';

/** A way to run a PostgreSQL program so that it does not see itself as root, which it refuses to be. */
export interface Runner {
  wrap(program: string, args: readonly string[]): { program: string; args: string[] };
  options: Pick<SpawnOptions, 'uid' | 'gid'>;
  /** Gives this runner's user what lies under `path`. */
  own(path: string): void;
}

/** An entry of the user database. */
export interface SystemUser {
  name: string;
  uid: number;
  gid: number;
}

/** What root can do instead of running PostgreSQL itself. */
export type RootMethod = 'owner' | 'user namespace' | 'other user';

const asMyself: Runner = {
  wrap: (program, args) => ({ program, args: [...args] }),
  options: {},
  own: () => {},
};

/**
 * Chooses how to run the programs on the files in `directory`. Only root has a choice to make: the ordinary
 * user who owns the files; a user namespace in which root's files belong to an ordinary user, so that nothing
 * is moved, given away or made readable; or, where that is not allowed, a user of the system made for such
 * work. Users have to be able to reach the files.
 * @throws StartRefusal when nothing works.
 */
export function chooseRunner(
  binaries: Binaries,
  directory: string,
  methods: readonly RootMethod[] = ['owner', 'user namespace', 'other user'],
): Runner {
  if (process.getuid?.() !== 0) {
    return asMyself;
  }
  const { uid, gid } = statSync(directory);
  const users = unprivilegedUsers(readFileSync('/etc/passwd', 'utf8'));
  for (const method of methods) {
    const runner =
      method === 'user namespace'
        ? namespaceRunner(binaries, users)
        : otherUserRunner(binaries, directory, method === 'other user' ? users : [{ uid, gid }]);
    if (runner !== null) {
      return runner;
    }
  }
  throw new StartRefusal(
    `PostgreSQL does not run as root, user namespaces are not allowed here, and no ordinary user can reach both ` +
      `${dirname(binaries.postgres)} and ${directory}. Run as another user, set DATA_DIR to a directory that others ` +
      'can reach, or set DATABASE_URL to a PostgreSQL server',
  );
}

function namespaceRunner(binaries: Binaries, users: readonly SystemUser[]): Runner | null {
  // initdb asks for the name of its user, so the user must be one that the system knows.
  const [user] = users;
  if (user === undefined) {
    return null;
  }
  const flags = ['--user', `--map-user=${user.uid}`, `--map-group=${user.gid}`, '--'];
  const runner: Runner = {
    wrap: (program, args) => ({ program: 'unshare', args: [...flags, program, ...args] }),
    options: {},
    own: (path) => changeOwner(path, 0, 0),
  };
  return works(runner, binaries) ? runner : null;
}

function otherUserRunner(
  binaries: Binaries,
  directory: string,
  users: readonly Pick<SystemUser, 'uid' | 'gid'>[],
): Runner | null {
  for (const { uid, gid } of users.filter((user) => user.uid !== 0)) {
    const runner: Runner = {
      wrap: asMyself.wrap,
      options: { uid, gid },
      own: (path) => changeOwner(path, uid, gid),
    };
    if (canPass(dirname(directory), uid, gid) && works(runner, binaries)) {
      return runner;
    }
  }
  return null;
}

function works(runner: Runner, binaries: Binaries): boolean {
  const { program, args } = runner.wrap(binaries.postgres, ['--version']);
  return spawnSync(program, args, { ...runner.options, cwd: '/', stdio: 'ignore' }).status === 0;
}

/** The users of `/etc/passwd` that a service without a user of its own may run as, the best first. */
export function unprivilegedUsers(passwd: string): SystemUser[] {
  const entries = passwd.split('\n').map((line) => line.split(':'));
  return ['nobody', 'postgres'].flatMap((name) => {
    const [, , uid, gid] = entries.find((entry) => entry[0] === name) ?? [];
    const user = { name, uid: Number(uid), gid: Number(gid) };
    return user.uid > 0 && user.gid > 0 ? [user] : [];
  });
}

/** Whether a user may pass through a directory and all those above it. */
export function canPass(directory: string, uid: number, gid: number): boolean {
  const { mode, uid: owner, gid: group } = statSync(directory);
  const bit = owner === uid ? 0o100 : group === gid ? 0o010 : 0o001;
  const parent = dirname(directory);
  return (mode & bit) !== 0 && (parent === directory || canPass(parent, uid, gid));
}

function changeOwner(path: string, uid: number, gid: number): void {
  const entry = lstatSync(path);
  if (entry.uid !== uid || entry.gid !== gid) {
    lchownSync(path, uid, gid);
  }
  if (entry.isDirectory()) {
    for (const name of readdirSync(path)) {
      changeOwner(join(path, name), uid, gid);
    }
  }
}
