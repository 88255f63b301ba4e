import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

export const root = fileURLToPath(new URL('../..', import.meta.url));

/** One line of the program's JSON log. */
export interface LogLine {
  level: number;
  pid: number;
  msg: string;
}

/** The started program, as its operator sees it. */
export interface Program {
  child: ChildProcess;
  lines: LogLine[];
  errors: () => string;
  /** Waits for a line of the log; throws when the program ends without it. */
  line: (text: string) => Promise<LogLine>;
  /** Waits until it takes requests, and returns its base URL. */
  ready: () => Promise<string>;
  /** The exit code, or null after a signal that it did not handle. */
  exit: () => Promise<number | null>;
}

interface Command {
  program: string;
  args: string[];
}

const SERVICE: Command = { program: process.execPath, args: ['dist/main.js'] };
export const NPM_START: Command = { program: 'npm', args: ['start'] };

/** Starts the built program with nothing but these settings, on any free port. It ends with the test. */
export function startProgram(
  settings: Record<string, string>,
  { command = SERVICE, uid }: { command?: Command; uid?: number } = {},
): Program {
  const child = spawn(command.program, command.args, {
    cwd: root,
    env: {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      HOST: '127.0.0.1',
      PORT: '0',
      LOG_FORMAT: 'json',
      ...settings,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(uid === undefined ? {} : { uid, gid: uid }),
  });
  const exited = once(child, 'close').then(([code]: unknown[]) => code as number | null);
  const { lines, waitFor } = followLog(child, exited);
  let errors = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  onTestFinished(async () => {
    // A stop that is insisted on, so that a test that failed half-way leaves no server behind.
    const insist = setInterval(() => child.kill('SIGTERM'), 200);
    await exited;
    clearInterval(insist);
  });
  const describeEnd = (): string => `the program ended: ${errors}${lines.map(({ msg }) => msg).join('\n')}`;
  const line = async (text: string): Promise<LogLine> => {
    const found = await waitFor((candidate) => candidate.msg.includes(text));
    if (found === null) {
      throw new Error(`"${text}" was never logged; ${describeEnd()}`);
    }
    return found;
  };
  return {
    child,
    lines,
    errors: () => errors,
    line,
    ready: async () => {
      const { msg } = await line('Diptych is ready');
      return /http:\S+(?=\/v1)/.exec(msg)?.[0] ?? '';
    },
    exit: () => exited,
  };
}

function followLog(child: ChildProcess, exited: Promise<unknown>) {
  const lines: LogLine[] = [];
  const waiting = new Set<() => void>();
  let rest = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    const parts = (rest + text).split('\n');
    rest = parts.pop() ?? '';
    // npm writes lines of its own.
    lines.push(...parts.filter((part) => part.startsWith('{')).map((part) => JSON.parse(part)));
    for (const look of waiting) {
      look();
    }
  });
  const waitFor = (isIt: (line: LogLine) => boolean): Promise<LogLine | null> =>
    new Promise((resolve) => {
      const look = (): void => {
        const found = lines.find(isIt);
        if (found !== undefined) {
          waiting.delete(look);
          resolve(found);
        }
      };
      waiting.add(look);
      look();
      exited.then(() => resolve(lines.find(isIt) ?? null));
    });
  return { lines, waitFor };
}

/** A request whose head has been sent and taken, and whose body has not: it is in flight until `finish`. */
export interface HeldRequest {
  finish: (body: string) => Promise<string>;
  socket: Socket;
}

/** Opens such a request: the service asks for the body (RFC 9110, 10.1.1) once it has the head. */
export async function holdRequest(baseUrl: string, head: string, bodyBytes: number): Promise<HeldRequest> {
  const { hostname, port, host } = new URL(baseUrl);
  const socket = connect(Number(port), hostname);
  let received = '';
  socket.setEncoding('utf8').on('data', (text: string) => {
    received += text;
  });
  socket.on('error', () => {});
  socket.write(
    `${head}\r\nHost: ${host}\r\nContent-Type: application/json\r\nContent-Length: ${bodyBytes}\r\nExpect: 100-continue\r\n\r\n`,
  );
  while (!received.includes('100 Continue')) {
    await once(socket, 'data');
  }
  return {
    socket,
    finish: async (body) => {
      const ended = once(socket, 'close');
      socket.write(body);
      await ended;
      return received.slice(received.indexOf('\r\n\r\n') + 4);
    },
  };
}
