import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { root } from '../../support/program.js';
import { type EngineVersion, engineConfig, engineHome } from './engine.js';

export interface JobOptions {
  version: EngineVersion;
  /** The example, as `feed-to-jdbc/job.conf`. */
  file: string;
  /** The environment, by which the file is told where things are. */
  settings: Record<string, string>;
  /** Where the job runs: its checkpoints are written there. */
  directory: string;
  /** Go on from the checkpoints of this job. */
  restore?: string;
}

/** A job in a process of its own, the engine with it: SeaTunnel's local mode. */
export interface Job {
  /** The number that the engine gave it. */
  id(): Promise<string>;
  /** Waits until it has ended well; throws what went wrong. */
  done(): Promise<void>;
  /** Rejects when it ends, which a job that follows something never does by itself. */
  failure: Promise<never>;
  /** Ends it as a power cut would. */
  kill(): Promise<void>;
  /** The errors in its log so far. */
  errors(): string[];
}

export function startJob(options: JobOptions): Job {
  const child = spawn('java', javaArguments(options), {
    cwd: options.directory,
    env: { PATH: process.env.PATH, HOME: process.env.HOME, ...options.settings },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exited = once(child, 'close').then(([code]: unknown[]) => code as number | null);
  const { log, found } = followLog(child, exited);
  const kill = async () => {
    child.kill('SIGKILL');
    await exited;
  };
  onTestFinished(kill);
  const failure = exited.then((code) => {
    throw new Error(`the job ended with ${code}:\n${causes(log())}`);
  });
  failure.catch(() => {});
  return {
    id: async () => {
      const [, id = ''] = await found(/Start submit job, job id: (\d+)/);
      return id;
    },
    done: async () => {
      const code = await exited;
      if (code !== 0) throw new Error(`the job ended with ${code}:\n${causes(log())}`);
    },
    failure,
    kill,
    errors: () =>
      log()
        .split('\n')
        .filter((line) => line.includes(' ERROR ')),
  };
}

function javaArguments({ version, file, restore }: JobOptions): string[] {
  const home = engineHome(version);
  const config = (name: string) => join(engineConfig, name);
  return [
    '-Xmx512m',
    // The connectors take the bytes of a text in the encoding of the platform.
    '-Dfile.encoding=UTF-8',
    `-DSEATUNNEL_HOME=${home}`,
    `-Dseatunnel.config=${config('seatunnel.yaml')}`,
    `-Dhazelcast.config=${config('hazelcast.yaml')}`,
    `-Dhazelcast.client.config=${config('hazelcast-client.yaml')}`,
    `-Dlog4j2.configurationFile=${config('log4j2.properties')}`,
    '-classpath',
    ['classes', 'starter/*', 'lib/*'].map((part) => join(home, part)).join(':'),
    'org.apache.seatunnel.core.starter.seatunnel.SeaTunnelClient',
    '--config',
    join(root, 'examples', 'seatunnel', file),
    '--master',
    'local',
    ...(restore === undefined ? [] : ['--restore', restore]),
  ];
}

function followLog(child: ChildProcess, exited: Promise<unknown>) {
  let log = '';
  const looks = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      log += text;
      for (const look of looks) look();
    });
  }
  const found = (pattern: RegExp): Promise<RegExpExecArray> =>
    new Promise((resolve, reject) => {
      const look = () => {
        const match = pattern.exec(log);
        if (match === null) return;
        looks.delete(look);
        resolve(match);
      };
      looks.add(look);
      look();
      exited.then(() => reject(new Error(`the job never logged ${pattern}:\n${causes(log)}`)));
    });
  return { log: () => log, found };
}

/** The lines of a log that say why, or its end. */
function causes(log: string): string {
  const lines = log.split('\n');
  const telling = lines.filter((line) => /ERROR|Caused by|Exception/.test(line));
  return (telling.length > 0 ? telling : lines).slice(-30).join('\n').slice(0, 8_000);
}
