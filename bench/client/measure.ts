// The measurement. Rounds are interleaved: every client has its turn in each round, in an order that rotates, so that a
// machine that slows down for a while slows all of them.

import { type Contender, Origin, RunningClient } from './clients.ts';
import type { Scenario } from './scenarios.ts';

export interface Effort {
  readonly node: string;
  readonly rounds: number;
  readonly seconds: number;
}

/** CPU of the client's process for one request, kernel included, and the part outside the kernel. In the scenario's unit. */
export interface Sample {
  readonly value: number;
  readonly user: number;
}

/** The samples of all rounds, by the contender's name. */
export type Rounds = Map<string, Sample[]>;

export async function measureCpu(
  scenario: Scenario,
  contenders: readonly Contender[],
  { node, rounds, seconds }: Effort,
): Promise<Rounds> {
  const origin = await Origin.start(node);
  const running = new Map<Contender, RunningClient>();
  const results: Rounds = new Map(contenders.map(({ name }) => [name, []]));
  const divisor = scenario.unit === 'ms' ? 1_000 : 1;
  try {
    for (const contender of contenders) {
      const client = await RunningClient.start(contender, scenario, origin.port, node);
      running.set(contender, client);
      // Code is compiled and connections are open before anything counts.
      await client.run(Math.min(seconds, 2));
    }
    for (let round = 0; round < rounds; round++) {
      for (let turn = 0; turn < contenders.length; turn++) {
        const contender = contenders[(turn + round) % contenders.length]!;
        const { requests, user, system } = await running.get(contender)!.run(seconds);
        results.get(contender.name)!.push({
          value: (user + system) / requests / divisor,
          user: user / requests / divisor,
        });
      }
    }
    return results;
  } finally {
    await Promise.all([...running.values()].map((client) => client.stop()));
    await origin.stop();
  }
}
