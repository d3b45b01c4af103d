import { type Exchange, type ExtraInfo, socketInfo } from '../net/index.ts';

export type { ExtraInfo } from '../net/index.ts';

/** `undefined` where the transport does not know. */
export function extraInfo<K extends keyof ExtraInfo>(exchange: Exchange, name: K): ExtraInfo[K] | undefined {
  const { socket } = exchange;
  if (socket !== undefined) return socketInfo(socket, name);
  const known: Partial<ExtraInfo> = {
    peername: exchange.remote,
    sockname: exchange.local,
  } as Partial<ExtraInfo>;
  return Object.hasOwn(known, name) ? known[name] : undefined;
}
