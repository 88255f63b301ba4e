import { spawn } from 'node:child_process';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { root } from '../lib/stamp.mjs';

/**
 * Starts the built service on a database of the benchmark's own; retention runs only when it is told to.
 * @returns where it listens, an agent that keeps connections, and what stops it.
 */
export async function startService(
  databaseUrl,
  { directory, settings = {}, maxSockets = Number.POSITIVE_INFINITY },
) {
  const child = spawn(process.execPath, [join(root, 'dist/main.js')], {
    cwd: directory,
    env: {
      PATH: process.env.PATH,
      HOST: '127.0.0.1',
      PORT: '0',
      DATABASE_URL: databaseUrl,
      LOG_FORMAT: 'json',
      LOG_LEVEL: 'info',
      RETENTION_INTERVAL_MINUTES: '0',
      ...settings,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const url = await new Promise((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      const found = /(http:\S+)\/v1/.exec(line);
      if (found) resolve(new URL(found[1]));
    });
    ended.then(() => reject(new Error('the service ended before it listened')));
  });
  return {
    host: url.hostname,
    port: Number(url.port),
    agent: new Agent({ keepAlive: true, maxSockets }),
    stop: async () => {
      child.kill('SIGTERM');
      await ended;
    },
  };
}

/** Sends a request to it. @returns the parsed answer; an answer that is no success is an error. */
export function send({ host, port, agent }, method, path, body) {
  const text = body === undefined ? undefined : JSON.stringify(body);
  const type = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
  const headers = text === undefined ? {} : { 'Content-Type': type };
  return new Promise((resolve, reject) => {
    const sent = request({ host, port, agent, method, path, headers }, (response) => {
      let answer = '';
      response.setEncoding('utf8').on('data', (chunk) => {
        answer += chunk;
      });
      response.on('end', () =>
        response.statusCode < 300
          ? resolve(JSON.parse(answer))
          : reject(new Error(`${method} ${path}: ${response.statusCode} ${answer}`)),
      );
    });
    sent.on('error', reject);
    sent.end(text);
  });
}
