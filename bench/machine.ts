import os from 'node:os';

/** Where figures were measured; they mean little without it. */
export interface Machine {
  readonly node: string;
  readonly platform: string;
  readonly cpu: string;
  readonly cores: number;
  readonly date: string;
}

export function describeMachine(nodeVersion: string): Machine {
  const cpus = os.cpus();
  return {
    node: nodeVersion,
    platform: `${os.platform()} ${os.arch()}`,
    cpu: cpus[0]?.model.trim() ?? 'unknown',
    cores: cpus.length,
    date: new Date().toISOString().slice(0, 10),
  };
}
