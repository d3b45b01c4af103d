// What is sent back and forth.

export interface Scenario {
  readonly name: string;
  readonly title: string;
  /** Head of a column that has little room. */
  readonly short: string;
  /** Which message is sent (see messages.mjs). */
  readonly program: 'text' | 'binary' | 'json';
  /** Each has one message on its way, and sends the next when the echo is there. */
  readonly connections: number;
  /** permessage-deflate, without context takeover. */
  readonly compress: boolean;
}

export const scenarios: readonly Scenario[] = [
  {
    name: 'text',
    title: '26 bytes of text, 64 connections',
    short: '26 bytes × 64',
    program: 'text',
    connections: 64,
    compress: false,
  },
  {
    name: 'one',
    title: '26 bytes of text, one connection',
    short: '26 bytes × 1',
    program: 'text',
    connections: 1,
    compress: false,
  },
  {
    name: 'binary',
    title: '64 KiB of bytes, 8 connections',
    short: '64 KiB × 8',
    program: 'binary',
    connections: 8,
    compress: false,
  },
  {
    name: 'json',
    title: '1 KiB of JSON, compressed, 16 connections',
    short: '1 KiB, deflate × 16',
    program: 'json',
    connections: 16,
    compress: true,
  },
];
