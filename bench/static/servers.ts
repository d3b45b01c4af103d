// The servers that are compared, as the bench sees them: where they listen, and what CPU they have used.

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { MeasuredProcess } from '../measured-process.ts';

export interface FileServer {
  readonly port: number;
  /** Microseconds that it has used so far. */
  cpu(): Promise<number>;
  stop(): Promise<void>;
}

export interface Contender {
  readonly name: string;
  start(directory: string, node: string): Promise<FileServer>;
}

const nginx = ['/usr/sbin/nginx', '/usr/bin/nginx', '/usr/local/bin/nginx'].find((file) => existsSync(file));

/** All that this machine has. nginx sends files by sendfile(2), which no Node program can do. */
export const contenders: readonly Contender[] = [
  nodeServer('aiohttp-ts', 'aiohttp-ts.mjs'),
  nodeServer('aiohttp-ts, cache', 'aiohttp-ts.mjs', 'cache'),
  nodeServer('@fastify/static', 'fastify-static.mjs'),
  nodeServer('node:http', 'node-http.mjs'),
  ...(nginx !== undefined && process.platform === 'linux'
    ? [{ name: 'nginx', start: (directory: string) => startNginx(nginx, directory) }]
    : []),
];

function nodeServer(name: string, file: string, variant?: string): Contender {
  return {
    name,
    async start(directory, node) {
      const program = new URL(`servers/${file}`, import.meta.url);
      const started = new MeasuredProcess(name, node, program, { directory, variant });
      const { port } = (await started.ready()) as { port: number };
      return {
        port,
        async cpu() {
          const { user, system } = (await started.ask('cpu')) as NodeJS.CpuUsage;
          return user + system;
        },
        stop: () => started.stop(),
      };
    },
  };
}

async function startNginx(program: string, directory: string): Promise<FileServer> {
  const port = await freePort();
  const home = path.join(directory, '..', 'nginx');
  mkdirSync(home, { recursive: true });
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${path.join(home, name)};`,
  );
  const isRoot = process.getuid?.() === 0;
  writeFileSync(
    path.join(home, 'nginx.conf'),
    `daemon off; worker_processes 1; pid ${home}/pid; error_log ${home}/error.log; ${isRoot ? 'user root;' : ''}
    events { worker_connections 1024; }
    http { access_log off; sendfile on; tcp_nopush on; keepalive_requests 100000000; ${paths.join(' ')}
      server { listen 127.0.0.1:${port}; root ${directory}; } }`,
  );
  const child = spawn(program, ['-p', home, '-c', path.join(home, 'nginx.conf')], { stdio: 'ignore' });
  const worker = await workerOf(child, home);
  const ticksPerSecond = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));
  return {
    port,
    async cpu() {
      // proc(5): utime and stime are the fields 14 and 15; the name, which may hold spaces, ends with a bracket.
      const fields = readFileSync(`/proc/${worker}/stat`, 'utf8')
        .replace(/^.*\) /s, '')
        .split(' ');
      return ((Number(fields[11]) + Number(fields[12])) / ticksPerSecond) * 1e6;
    },
    stop: () => terminated(child),
  };
}

/** The one worker process, once there is one. */
async function workerOf(master: ChildProcess, home: string): Promise<number> {
  for (let turn = 0; turn < 200; turn++) {
    if (master.exitCode !== null) {
      throw new Error(`nginx ended: ${readFileSync(path.join(home, 'error.log'), 'utf8')}`);
    }
    for (const entry of readdirSync('/proc')) {
      if (!/^\d+$/.test(entry)) continue;
      try {
        const [, parent] = readFileSync(`/proc/${entry}/stat`, 'utf8')
          .replace(/^.*\) /s, '')
          .split(' ');
        if (Number(parent) === master.pid) return Number(entry);
      } catch {
        // It has ended meanwhile.
      }
    }
    await sleep(25);
  }
  throw new Error('nginx has no worker');
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function terminated(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  await exited;
}
