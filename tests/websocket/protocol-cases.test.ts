// What RFC 6455 and RFC 7692 demand of a receiver, case by case, in the order of the sections that the Autobahn suite has. Each case
// is a list of frames, and the messages or the close code that must come of it. Each is run for both roles, whole, in two pieces
// split at every place, and byte by byte.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { constants, deflateRawSync } from 'node:zlib';
import type { FrameParserOptions } from '../../src/websocket/index.ts';
import {
  foundAtLast,
  foundIn,
  framesFor,
  PLAIN_DEFLATE,
  type RawFrame,
  shownMessage,
  splits,
} from './wire.ts';

const CONTINUATION = 0;
const TEXT = 1;
const BINARY = 2;
const CLOSE = 8;
const PING = 9;
const PONG = 10;

type Case = readonly [name: string, frames: readonly RawFrame[], found: readonly string[]];

function run(cases: readonly Case[], options?: Partial<FrameParserOptions>): void {
  for (const [name, frames, expected] of cases) {
    test(name, () => {
      for (const role of ['server', 'client'] as const) {
        const bytes = framesFor(role, frames);
        for (const pieces of splits(bytes)) {
          assert.deepEqual(foundIn(role, pieces, options), expected, `${role}, ${pieces[0]!.length} first`);
        }
      }
    });
  }
}

function shownText(length: number): string {
  return length <= 64 ? `text ${'*'.repeat(length)}` : `text ${'*'.repeat(32)}… ${length}`;
}

function shownBytes(length: number): string {
  return length <= 32 ? `binary ${'fe'.repeat(length)}` : `binary ${'fe'.repeat(16)}… ${length}`;
}

const SIZES = [0, 125, 126, 127, 128, 65_535, 65_536];

describe('1 framing: every form of the length', () => {
  run([
    ...SIZES.map(
      (size): Case => [
        `a text of ${size} bytes`,
        [{ opcode: TEXT, payload: '*'.repeat(size) }],
        [shownText(size)],
      ],
    ),
    ...SIZES.map(
      (size): Case => [
        `${size} bytes`,
        [{ opcode: BINARY, payload: Buffer.alloc(size, 0xfe) }],
        [shownBytes(size)],
      ],
    ),
    [
      'a length of 5 in 16 bits is not the shortest form (§5.2)',
      [{ opcode: TEXT, payload: 'hello', lengthBytes: 2 }],
      ['error 1002'],
    ],
    ['125 in 64 bits', [{ opcode: TEXT, payload: '*'.repeat(125), lengthBytes: 8 }], ['error 1002']],
    ['65535 in 64 bits', [{ opcode: BINARY, payload: Buffer.alloc(65_535), lengthBytes: 8 }], ['error 1002']],
  ]);
});

describe('2 pings and pongs', () => {
  run([
    ['a ping without payload', [{ opcode: PING }], ['ping ']],
    ['a ping with text', [{ opcode: PING, payload: 'Hello' }], ['ping 48656c6c6f']],
    [
      'a ping with bytes that are no text',
      [{ opcode: PING, payload: Buffer.of(0, 255, 254) }],
      ['ping 00fffe'],
    ],
    [
      'a ping of 125 bytes',
      [{ opcode: PING, payload: Buffer.alloc(125, 0xfe) }],
      [`ping ${'fe'.repeat(16)}… 125`],
    ],
    ['a ping of 126 bytes (§5.5)', [{ opcode: PING, payload: Buffer.alloc(126) }], ['error 1002']],
    ['a pong that nobody asked for', [{ opcode: PONG }], ['pong ']],
    ['a pong with payload', [{ opcode: PONG, payload: 'x' }], ['pong 78']],
    [
      'a pong, then a ping',
      [
        { opcode: PONG, payload: 'a' },
        { opcode: PING, payload: 'b' },
      ],
      ['pong 61', 'ping 62'],
    ],
    [
      'ten pings',
      Array.from({ length: 10 }, (_, index) => ({ opcode: PING, payload: String(index) })),
      Array.from({ length: 10 }, (_, index) => `ping 3${index}`),
    ],
  ]);
});

describe('3 reserved bits', () => {
  const hello = { opcode: TEXT, payload: 'hello' };
  run([
    ['RSV3', [{ ...hello, rsv: 1 }], ['error 1002']],
    ['RSV2 behind a good message', [hello, { ...hello, rsv: 2 }], ['text hello', 'error 1002']],
    ['RSV2 and RSV3', [hello, { ...hello, rsv: 3 }, { opcode: PING }], ['text hello', 'error 1002']],
    ['RSV1 without compression', [{ ...hello, rsv: 4 }], ['error 1002']],
    ['RSV1 and RSV3 in an empty binary', [{ opcode: BINARY, rsv: 5 }], ['error 1002']],
    ['RSV1 and RSV2 in a ping', [{ opcode: PING, rsv: 6 }], ['error 1002']],
    ['all in a close', [{ opcode: CLOSE, rsv: 7 }], ['error 1002']],
  ]);
});

describe('4 reserved opcodes', () => {
  const reserved = [3, 4, 5, 6, 7, 11, 12, 13, 14, 15];
  run([
    ...reserved.map((opcode): Case => [`opcode ${opcode}`, [{ opcode }], ['error 1002']]),
    ...reserved.map(
      (opcode): Case => [
        `opcode ${opcode} with payload, behind a message`,
        [{ opcode: TEXT, payload: 'hello' }, { opcode, payload: 'x' }, { opcode: PING }],
        ['text hello', 'error 1002'],
      ],
    ),
  ]);
});

describe('5 fragments', () => {
  run([
    [
      'a ping in two fragments (§5.5)',
      [
        { opcode: PING, payload: 'a', fin: false },
        { opcode: CONTINUATION, payload: 'b' },
      ],
      ['error 1002'],
    ],
    ['a pong that is not the last', [{ opcode: PONG, fin: false }], ['error 1002']],
    ['a close that is not the last', [{ opcode: CLOSE, fin: false }], ['error 1002']],
    [
      'a text in two fragments',
      [
        { opcode: TEXT, payload: 'frag', fin: false },
        { opcode: CONTINUATION, payload: 'ment' },
      ],
      ['text fragment'],
    ],
    [
      'a ping between fragments comes out at once (§5.4)',
      [
        { opcode: TEXT, payload: 'frag', fin: false },
        { opcode: PING, payload: 'p' },
        { opcode: PONG, payload: 'q' },
        { opcode: CONTINUATION, payload: 'ment' },
      ],
      ['ping 70', 'pong 71', 'text fragment'],
    ],
    [
      'bytes in many fragments, some of them empty',
      [
        { opcode: BINARY, fin: false },
        ...Array.from({ length: 20 }, (_, index) => ({
          opcode: CONTINUATION,
          payload: Buffer.alloc(index % 3, index),
          fin: false,
        })),
        { opcode: CONTINUATION },
      ],
      [`binary ${'010202040505070808'}${'0a0b0b0d0e0e10111113'}`],
    ],
    [
      'three empty fragments make an empty text',
      [{ opcode: TEXT, fin: false }, { opcode: CONTINUATION, fin: false }, { opcode: CONTINUATION }],
      ['text '],
    ],
    ['a continuation of nothing', [{ opcode: CONTINUATION, payload: 'x' }], ['error 1002']],
    ['a continuation of nothing, not the last', [{ opcode: CONTINUATION, fin: false }], ['error 1002']],
    [
      'a continuation after a finished message',
      [
        { opcode: TEXT, payload: 'a', fin: false },
        { opcode: CONTINUATION, payload: 'b' },
        { opcode: CONTINUATION, payload: 'c' },
      ],
      ['text ab', 'error 1002'],
    ],
    [
      'a new text inside of a text',
      [
        { opcode: TEXT, payload: 'a', fin: false },
        { opcode: TEXT, payload: 'b' },
      ],
      ['error 1002'],
    ],
    [
      'bytes inside of a text',
      [
        { opcode: TEXT, payload: 'a', fin: false },
        { opcode: BINARY, payload: 'b' },
      ],
      ['error 1002'],
    ],
    [
      'a reserved bit in a continuation',
      [
        { opcode: TEXT, payload: 'a', fin: false },
        { opcode: CONTINUATION, payload: 'b', rsv: 4 },
      ],
      ['error 1002'],
    ],
  ]);
});

describe('6 texts are UTF-8', () => {
  const valid: readonly (readonly [string, string])[] = [
    ['Greek', 'cebae1bdb9cf83cebcceb5'],
    ['all of 2 bytes, first and last', 'c280dfbf'],
    ['all of 3 bytes, first and last', 'e0a080efbfbf'],
    ['around the surrogates', 'ed9fbfee8080'],
    ['the replacement character itself', 'efbfbd'],
    ['all of 4 bytes, first and last', 'f0908080f48fbfbf'],
    ['a byte order mark', 'efbbbf41'],
    ['a NUL', '00'],
  ];
  const invalid: readonly (readonly [string, string])[] = [
    ['a lone continuation byte', '80'],
    ['many of them', '80bf80bf80bf'],
    ['2 bytes without the second', 'c3'],
    ['2 bytes with a space as the second', 'c320'],
    ['3 bytes without the third', 'e1bd'],
    ['4 bytes without the fourth', 'f09f98'],
    ['an overlong slash', 'c0af'],
    ['an overlong slash of 3', 'e080af'],
    ['an overlong slash of 4', 'f08080af'],
    ['an overlong NUL', 'c080'],
    ['the greatest overlong of 2', 'c1bf'],
    ['the greatest overlong of 3', 'e09fbf'],
    ['the greatest overlong of 4', 'f08fbfbf'],
    ['a high surrogate', 'eda080'],
    ['a low surrogate', 'edbfbf'],
    ['a pair of surrogates', 'eda080edb080'],
    ['beyond U+10FFFF', 'f4908080'],
    ['5 bytes', 'f888808080'],
    ['6 bytes', 'fc8480808080'],
    ['0xFE', 'fe'],
    ['0xFF', 'ff'],
    ['a wrong byte within text', 'cebae1bdb9cf83cebcceb5eda080656469746564'],
  ];
  const pieces = (hex: string): RawFrame[] => {
    const bytes = Buffer.from(hex, 'hex');
    return [
      { opcode: TEXT, fin: false },
      ...Array.from(bytes, (byte) => ({ opcode: CONTINUATION, payload: Buffer.of(byte), fin: false })),
      { opcode: CONTINUATION },
    ];
  };
  run([
    ...valid.flatMap(([name, hex]): Case[] => {
      const found = [`text ${Buffer.from(hex, 'hex').toString()}`];
      return [
        [`good: ${name}`, [{ opcode: TEXT, payload: Buffer.from(hex, 'hex') }], found],
        [`good: ${name}, a fragment for each byte`, pieces(hex), found],
      ];
    }),
    ...invalid.flatMap(([name, hex]): Case[] => [
      [`bad: ${name}`, [{ opcode: TEXT, payload: Buffer.from(hex, 'hex') }], ['error 1007']],
      [`bad: ${name}, a fragment for each byte`, pieces(hex), ['error 1007']],
      [
        `bad: ${name}, behind much that is good`,
        [{ opcode: TEXT, payload: Buffer.concat([Buffer.alloc(700, 'a'), Buffer.from(hex, 'hex')]) }],
        ['error 1007'],
      ],
    ]),
    ['bytes need not be UTF-8', [{ opcode: BINARY, payload: Buffer.of(0x80) }], ['binary 80']],
  ]);
  run([['undecoded texts are checked too', [{ opcode: TEXT, payload: Buffer.of(0xc3) }], ['error 1007']]], {
    decodeText: false,
  });
});

describe('7 the close frame', () => {
  const closing = (code: number, reason: Uint8Array | string = ''): RawFrame => {
    const bytes = Buffer.from(reason as string);
    const payload = Buffer.alloc(2 + bytes.length);
    payload.writeUInt16BE(code);
    bytes.copy(payload, 2);
    return { opcode: CLOSE, payload };
  };
  const good = [
    1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999,
  ];
  const bad = [0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535];
  run([
    ['without payload', [{ opcode: CLOSE }], ['close 0']],
    ['a payload of 1 byte (§5.5.1)', [{ opcode: CLOSE, payload: Buffer.of(3) }], ['error 1002']],
    ['with a reason', [closing(1000, 'Hello World!')], ['close 1000 Hello World!']],
    ['with the longest reason', [closing(1000, '*'.repeat(123))], [`close 1000 ${'*'.repeat(123)}`]],
    ['with a reason that is too long', [closing(1000, '*'.repeat(124))], ['error 1002']],
    ['with a reason beyond ASCII', [closing(4000, 'Größe')], ['close 4000 Größe']],
    ['with a reason that is not UTF-8', [closing(1000, Buffer.from('cebaeda080', 'hex'))], ['error 1007']],
    ...good.map((code): Case => [`code ${code}`, [closing(code)], [`close ${code}`]]),
    ...bad.map(
      (code): Case => [`code ${code} must not be sent (§7.4)`, [closing(code, 'x')], ['error 1002']],
    ),
    [
      'what stands behind it is not looked at (§1.4)',
      [closing(1000), { opcode: PING }, closing(1000), { opcode: 5 }],
      ['close 1000'],
    ],
    [
      'within a message',
      [{ opcode: TEXT, payload: 'a', fin: false }, closing(1001), { opcode: CONTINUATION, payload: 'b' }],
      ['close 1001'],
    ],
  ]);
});

describe('9 large messages', () => {
  for (const [name, size, fragment] of [
    ['one frame of 4 MiB', 4_194_304, 4_194_304],
    ['4 MiB in fragments of 64 bytes', 4_194_304, 64],
    ['4 MiB in fragments of 64 KiB', 4_194_304, 65_536],
  ] as const) {
    test(name, () => {
      const frames = Array.from({ length: size / fragment }, (_, index) => ({
        opcode: index === 0 ? TEXT : CONTINUATION,
        payload: '*'.repeat(fragment),
        fin: (index + 1) * fragment === size,
      }));
      const bytes = framesFor('server', frames);
      for (const chop of [bytes.length, 65_536, 1447]) {
        const pieces = Array.from({ length: Math.ceil(bytes.length / chop) }, (_, index) =>
          Uint8Array.from(bytes.subarray(index * chop, (index + 1) * chop)),
        );
        assert.deepEqual(foundIn('server', pieces), [shownText(size)]);
      }
    });
  }
});

describe('12 and 13 compressed messages', () => {
  const deflated = (data: Uint8Array | string, options = {}): Buffer =>
    deflateRawSync(data, { finishFlush: constants.Z_SYNC_FLUSH, ...options }).subarray(0, -4);
  run(
    [
      [
        'Hello (RFC 7692 §7.2.3.1)',
        [{ opcode: TEXT, rsv: 4, payload: Buffer.from('f248cdc9c90700', 'hex') }],
        ['text Hello'],
      ],
      [
        'Hello in two fragments, RSV1 in the first only',
        [
          { opcode: TEXT, rsv: 4, payload: Buffer.from('f248cd', 'hex'), fin: false },
          { opcode: PING },
          { opcode: CONTINUATION, payload: Buffer.from('c9c90700', 'hex') },
        ],
        ['ping ', 'text Hello'],
      ],
      [
        'Hello in a block that is not compressed (§7.2.3.3)',
        [{ opcode: TEXT, rsv: 4, payload: Buffer.from('000500faff48656c6c6f00', 'hex') }],
        ['text Hello'],
      ],
      [
        'Hello in a block that is the last (§7.2.3.4)',
        [{ opcode: TEXT, rsv: 4, payload: Buffer.from('f348cdc9c9070000', 'hex') }],
        ['text Hello'],
      ],
      [
        'Hello in two blocks (§7.2.3.5)',
        [
          {
            opcode: TEXT,
            rsv: 4,
            payload: Buffer.from('f248050000 00ffffcac9c90700'.replace(' ', ''), 'hex'),
          },
        ],
        ['text Hello'],
      ],
      ['an empty message (§7.2.3.6)', [{ opcode: BINARY, rsv: 4, payload: Buffer.of(0) }], ['binary ']],
      [
        'one that is not compressed between two that are',
        [
          { opcode: TEXT, rsv: 4, payload: deflated('one') },
          { opcode: TEXT, payload: 'two' },
          { opcode: TEXT, rsv: 4, payload: deflated('three') },
        ],
        ['text one', 'text two', 'text three'],
      ],
      [
        'what is inflated must be UTF-8',
        [{ opcode: TEXT, rsv: 4, payload: deflated(Buffer.of(0xc3)) }],
        ['error 1007'],
      ],
      [
        'data that break off',
        [{ opcode: TEXT, rsv: 4, payload: deflated('much to say '.repeat(9)).subarray(0, 9) }],
        ['error 1007'],
      ],
      ['data that are not compressed', [{ opcode: TEXT, rsv: 4, payload: 'Hello' }], ['error 1007']],
      ['RSV1 in a ping', [{ opcode: PING, rsv: 4 }], ['error 1002']],
      [
        'RSV1 in a continuation',
        [
          { opcode: TEXT, rsv: 4, payload: deflated('one'), fin: false },
          { opcode: CONTINUATION, rsv: 4 },
        ],
        ['error 1002'],
      ],
    ],
    { deflate: PLAIN_DEFLATE },
  );

  const sizes = [16, 64, 256, 1024, 4096, 8192, 16_384, 32_768, 65_536, 131_072];
  for (const windowBits of [9, 15]) {
    for (const takeover of [false, true]) {
      test(`of ${sizes.length} sizes, windows of ${windowBits} bits, ${takeover ? 'with' : 'without'} context takeover`, async () => {
        const deflate = {
          serverNoContextTakeover: !takeover,
          clientNoContextTakeover: !takeover,
          serverMaxWindowBits: windowBits,
          clientMaxWindowBits: windowBits,
        };
        let before: Buffer = Buffer.alloc(0);
        const texts = sizes.map((size) => `{"size": ${size}, "é": [`.repeat(size).slice(0, size));
        const frames = texts.map((text) => {
          const dictionary = takeover && before.length > 0 ? { dictionary: before } : {};
          const payload = deflated(text, { windowBits, ...dictionary });
          before = Buffer.concat([before, Buffer.from(text)]).subarray(-(2 ** windowBits));
          return { opcode: TEXT, rsv: 4, payload };
        });
        const messages = await foundAtLast('client', [framesFor('client', frames)], { deflate });
        assert.deepEqual(
          messages.map((message) => shownMessage(message)),
          texts.map((data) => shownMessage({ type: 1, data, extra: undefined, json: () => data as never })),
        );
      });
    }
  }
});
