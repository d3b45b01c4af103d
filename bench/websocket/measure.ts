// The measurements. Rounds are interleaved: every contender has its turn in each round, in an order that rotates, so that a machine
// that slows down for a while slows all of them.

import { type Contender, type Cost, contenders, RunningClient, RunningServer } from './processes.ts';
import type { Scenario } from './scenarios.ts';

export interface Effort {
  readonly node: string;
  readonly rounds: number;
  readonly seconds: number;
}

/** Which end is measured. */
export type Side = 'server' | 'client';

/** Microseconds of CPU for one message received and one sent, kernel included, and the part outside the kernel. */
export interface Sample {
  readonly value: number;
  readonly user: number;
}

/** The samples of all rounds, by the contender's name. */
export type Rounds = Map<string, Sample[]>;

/** Two processes that talk to each other, one of them a bare socket. */
interface Pair {
  run(seconds: number): Promise<Cost>;
  stop(): Promise<void>;
}

export async function measureCpu(
  side: Side,
  scenario: Scenario,
  among: readonly Contender[],
  { node, rounds, seconds }: Effort,
): Promise<Rounds> {
  const pairs = new Map<Contender, Pair>();
  const results: Rounds = new Map(among.map(({ name }) => [name, []]));
  try {
    for (const contender of among) {
      const pair = await startPair(side, contender, scenario, node);
      pairs.set(contender, pair);
      // Code is compiled before anything counts.
      await pair.run(Math.min(seconds, 2));
    }
    for (let round = 0; round < rounds; round++) {
      for (let turn = 0; turn < among.length; turn++) {
        const contender = among[(turn + round) % among.length]!;
        const { messages, user, system } = await pairs.get(contender)!.run(seconds);
        results.get(contender.name)!.push({ value: (user + system) / messages, user: user / messages });
      }
    }
    return results;
  } finally {
    await Promise.all([...pairs.values()].map((pair) => pair.stop()));
  }
}

async function startPair(side: Side, contender: Contender, scenario: Scenario, node: string): Promise<Pair> {
  const bare = contenders[0]!;
  const server = await RunningServer.start(side === 'server' ? contender : bare, scenario, node);
  let client: RunningClient;
  try {
    client = await RunningClient.start(side === 'client' ? contender : bare, scenario, server.port, node);
  } catch (error) {
    await server.stop();
    throw error;
  }
  return {
    async run(seconds) {
      if (side === 'client') return await client.run(seconds);
      const before = await server.cpu();
      const { messages } = await client.run(seconds);
      const after = await server.cpu();
      return { messages, user: after.user - before.user, system: after.system - before.system };
    },
    async stop() {
      await client.stop();
      await server.stop();
    },
  };
}
