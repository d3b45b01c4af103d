// The measurements. Rounds are interleaved: every server has its turn in each round, in an order that rotates, so that a
// machine that slows down for a while slows all of them.

import { request } from 'node:http';
import { request as requestTls } from 'node:https';
import { connect, type Socket } from 'node:net';
import { applyLoad, type Generator } from './load.ts';
import { requestBytes, type Scenario, scenarios } from './scenarios.ts';
import { type Contender, RunningServer } from './servers.ts';

export interface Effort {
  readonly node: string;
  readonly rounds: number;
  readonly seconds: number;
  readonly generator: Generator;
  /** Connections that stand idle in the memory measurement: many, because the heap grows in steps. */
  readonly idleConnections: number;
}

/** One value, and how much of it was spent outside the kernel where that can be told. */
export interface Sample {
  readonly value: number;
  readonly user?: number;
}

/** The samples of all rounds, by the contender's name. */
export type Rounds = Map<string, Sample[]>;

/** Microseconds of the server's CPU per request. */
export async function measureCpu(
  scenario: Scenario,
  contenders: readonly Contender[],
  effort: Effort,
): Promise<Rounds> {
  const running = new Map<Contender, RunningServer>();
  try {
    for (const contender of contenders) {
      const server = await RunningServer.start(contender, scenario, effort.node);
      running.set(contender, server);
      await checkAnswer(contender, scenario, server.port);
      await applyLoad(effort.generator, scenario, server.port, Math.min(effort.seconds, 2));
    }
    return await inRounds(contenders, effort.rounds, async (contender) => {
      const server = running.get(contender)!;
      const before = await server.cpu();
      const answers = await applyLoad(effort.generator, scenario, server.port, effort.seconds);
      const after = await server.cpu();
      const user = after.user - before.user;
      return { value: (user + after.system - before.system) / answers, user: user / answers };
    });
  } finally {
    await Promise.all([...running.values()].map((server) => server.stop()));
  }
}

/** Kilobytes of memory (RSS) that an idle keep-alive connection holds, after it was served once. */
export async function measureIdle(contenders: readonly Contender[], effort: Effort): Promise<Rounds> {
  const scenario = scenarios[0]!;
  return await inRounds(contenders, effort.rounds, async (contender) => {
    const server = await RunningServer.start(contender, scenario, effort.node);
    const sockets: Socket[] = [];
    try {
      // The code is warm and the heap has grown before the connections are counted.
      await applyLoad('own', scenario, server.port, Math.min(effort.seconds, 0.2));
      const before = await server.memory();
      for (let i = 0; i < effort.idleConnections; i++)
        sockets.push(await openAndServe(scenario, server.port));
      const after = await server.memory();
      return { value: (after.rss - before.rss) / effort.idleConnections / 1_024 };
    } finally {
      for (const socket of sockets) socket.destroy();
      await server.stop();
    }
  });
}

/** Milliseconds of CPU from the start of the process, imports included, to its first answer. */
export async function measureStart(contenders: readonly Contender[], effort: Effort): Promise<Rounds> {
  const scenario = scenarios[0]!;
  return await inRounds(contenders, effort.rounds, async (contender) => {
    const server = await RunningServer.start(contender, scenario, effort.node);
    try {
      await checkAnswer(contender, scenario, server.port);
      const { user, system } = await server.cpu();
      return { value: (user + system) / 1_000, user: user / 1_000 };
    } finally {
      await server.stop();
    }
  });
}

async function inRounds(
  contenders: readonly Contender[],
  rounds: number,
  measure: (contender: Contender) => Promise<Sample>,
): Promise<Rounds> {
  const results: Rounds = new Map(contenders.map((contender) => [contender.name, []]));
  for (let round = 0; round < rounds; round++) {
    for (let turn = 0; turn < contenders.length; turn++) {
      const contender = contenders[(turn + round) % contenders.length]!;
      results.get(contender.name)!.push(await measure(contender));
    }
  }
  return results;
}

/** A server that answers something else would be compared for nothing. */
async function checkAnswer(contender: Contender, scenario: Scenario, port: number): Promise<void> {
  const { status, body } = await ask(scenario, port);
  if (status === 200 && body === scenario.answer) return;
  throw new Error(
    `${contender.name} answers '${scenario.name}' with ${status} ${JSON.stringify(body)}, not ${JSON.stringify(scenario.answer)}`,
  );
}

function ask(scenario: Scenario, port: number): Promise<{ status: number | undefined; body: string }> {
  return new Promise((resolve, reject) => {
    const outgoing = (scenario.tls ? requestTls : request)({
      host: '127.0.0.1',
      port,
      path: scenario.path,
      method: scenario.method,
      headers: scenario.headers,
      agent: false,
      timeout: 10_000,
      ...(scenario.tls && { rejectUnauthorized: false }),
    });
    outgoing.on('error', reject);
    outgoing.on('timeout', () => outgoing.destroy(new Error('no answer within 10 s')));
    outgoing.on('response', (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        body += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode, body }));
      response.on('error', reject);
    });
    outgoing.end(scenario.body);
  });
}

/** Opens a connection, has one request answered on it, and leaves it open. */
function openAndServe(scenario: Scenario, port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.setTimeout(10_000, () =>
      socket.destroy(new Error('an idle connection got no answer within 10 s')),
    );
    socket.once('error', reject);
    socket.once('connect', () => socket.write(requestBytes(scenario, port)));
    socket.once('data', () => {
      socket.setTimeout(0);
      socket.off('error', reject);
      socket.on('error', () => {});
      resolve(socket);
    });
  });
}
