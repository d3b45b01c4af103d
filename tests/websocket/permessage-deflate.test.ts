import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  acceptOffers,
  checkAnswer,
  type DeflateOptions,
  type DeflateParameters,
  offer,
} from '../../src/websocket/index.ts';

/** `server takeover, client takeover, server window, client window`. */
function shown(parameters: DeflateParameters | undefined): string | undefined {
  if (parameters === undefined) return undefined;
  const { serverNoContextTakeover, clientNoContextTakeover } = parameters;
  const { serverMaxWindowBits, clientMaxWindowBits } = parameters;
  return `${!serverNoContextTakeover} ${!clientNoContextTakeover} ${serverMaxWindowBits} ${clientMaxWindowBits}`;
}

const TAKEOVER = { contextTakeover: true };
const NO_TAKEOVER = 'server_no_context_takeover; client_no_context_takeover';

describe('a server answers offers', () => {
  const cases: readonly (readonly [
    header: string | undefined,
    wanted: DeflateOptions,
    answer: string | undefined,
    parameters: string | undefined,
  ])[] = [
    [undefined, {}, undefined, undefined],
    ['', {}, undefined, undefined],
    ['permessage-deflate', {}, `permessage-deflate; ${NO_TAKEOVER}`, 'false false 15 15'],
    ['permessage-deflate', TAKEOVER, 'permessage-deflate', 'true true 15 15'],
    [
      'permessage-deflate; client_max_window_bits',
      {},
      `permessage-deflate; ${NO_TAKEOVER}`,
      'false false 15 15',
    ],
    [
      'permessage-deflate; client_max_window_bits',
      { windowBits: 10 },
      `permessage-deflate; ${NO_TAKEOVER}; server_max_window_bits=10; client_max_window_bits=10`,
      'false false 10 10',
    ],
    // A client that does not name the parameter cannot be told (§7.1.2.2).
    [
      'permessage-deflate',
      { windowBits: 10, ...TAKEOVER },
      'permessage-deflate; server_max_window_bits=10',
      'true true 10 15',
    ],
    [
      'permessage-deflate; client_max_window_bits=9; server_max_window_bits=8',
      TAKEOVER,
      'permessage-deflate; server_max_window_bits=8; client_max_window_bits=9',
      'true true 8 9',
    ],
    [
      'permessage-deflate; server_max_window_bits="12"',
      TAKEOVER,
      'permessage-deflate; server_max_window_bits=12',
      'true true 12 15',
    ],
    [
      'permessage-deflate; server_no_context_takeover',
      TAKEOVER,
      'permessage-deflate; server_no_context_takeover',
      'false true 15 15',
    ],
    [
      'permessage-deflate;client_no_context_takeover',
      TAKEOVER,
      'permessage-deflate; client_no_context_takeover',
      'true false 15 15',
    ],
    // The first that can be kept.
    [
      'x-other; a=b, permessage-deflate; unknown, permessage-deflate; server_max_window_bits=16, permessage-deflate; server_max_window_bits=11, permessage-deflate',
      TAKEOVER,
      'permessage-deflate; server_max_window_bits=11',
      'true true 11 15',
    ],
    ...[
      'x-webkit-deflate-frame',
      'permessage-deflate; server_max_window_bits',
      'permessage-deflate; server_max_window_bits=7',
      'permessage-deflate; server_max_window_bits=16',
      'permessage-deflate; server_max_window_bits=010',
      'permessage-deflate; server_max_window_bits=+9',
      'permessage-deflate; client_max_window_bits=7',
      'permessage-deflate; server_no_context_takeover=true',
      'permessage-deflate; client_no_context_takeover=1',
      'permessage-deflate; client_no_context_takeover; client_no_context_takeover',
      'permessage-deflate; foo',
      'PERMESSAGE-DEFLATE; server_max_window_bits=0',
    ].map((header) => [header, {}, undefined, undefined] as const),
  ];
  for (const [header, wanted, answer, parameters] of cases) {
    test(`${header} with ${JSON.stringify(wanted)}`, () => {
      const agreement = acceptOffers(header, wanted);
      assert.equal(agreement?.header, answer);
      assert.equal(shown(agreement?.parameters), parameters);
    });
  }
});

describe('a malformed field is an error (RFC 6455 §9.1)', () => {
  for (const header of [
    ';',
    'permessage-deflate;',
    'permessage-deflate; =1',
    'permessage-deflate; a=',
    'permessage-deflate; a="b c"',
    'permessage-deflate; a="b',
    'permessage-deflate; a=""',
    'permessage deflate',
    'permessage-deflate; a b',
    'permessage-deflate; a=b=c',
    '"permessage-deflate"',
  ]) {
    test(header, () => {
      assert.throws(() => acceptOffers(header, {}), { closeCode: 1002, code: 'AIO_WS_PROTOCOL' });
      assert.throws(() => checkAnswer(header, {}), { closeCode: 1002 });
    });
  }
});

test('what a client offers', () => {
  assert.equal(offer({}), `permessage-deflate; ${NO_TAKEOVER}; client_max_window_bits`);
  assert.equal(offer(TAKEOVER), 'permessage-deflate; client_max_window_bits');
  assert.equal(
    offer({ contextTakeover: true, windowBits: 9 }),
    'permessage-deflate; server_max_window_bits=9; client_max_window_bits=9',
  );
});

describe('a client reads the answer', () => {
  const good: readonly (readonly [string | undefined, DeflateOptions | undefined, string | undefined])[] = [
    [undefined, undefined, undefined],
    [undefined, {}, undefined],
    ['', {}, undefined],
    [`permessage-deflate; ${NO_TAKEOVER}`, {}, 'false false 15 15'],
    ['permessage-deflate', TAKEOVER, 'true true 15 15'],
    ['permessage-deflate; server_no_context_takeover', TAKEOVER, 'false true 15 15'],
    // Put up with: the server keeps its context though it was asked not to.
    ['permessage-deflate', {}, 'true false 15 15'],
    ['permessage-deflate; server_max_window_bits=10', TAKEOVER, 'true true 10 15'],
    ['permessage-deflate; client_max_window_bits=8', TAKEOVER, 'true true 15 8'],
    [
      'permessage-deflate; server_max_window_bits=9; client_max_window_bits=10',
      { ...TAKEOVER, windowBits: 10 },
      'true true 9 10',
    ],
    // The server takes any window; this end keeps to what it offered.
    ['permessage-deflate; server_max_window_bits=10', { ...TAKEOVER, windowBits: 10 }, 'true true 10 10'],
  ];
  for (const [header, offered, parameters] of good) {
    test(`${header} to ${JSON.stringify(offered)}`, () => {
      assert.equal(shown(checkAnswer(header, offered)), parameters);
    });
  }

  const bad: readonly (readonly [string, DeflateOptions | undefined])[] = [
    ['permessage-deflate', undefined],
    ['x-other', {}],
    ['permessage-deflate, permessage-deflate', {}],
    ['permessage-deflate; foo', {}],
    ['permessage-deflate; client_max_window_bits', {}],
    ['permessage-deflate; client_max_window_bits=16', {}],
    ['permessage-deflate; client_max_window_bits=7', {}],
    ['permessage-deflate; server_max_window_bits', {}],
    ['permessage-deflate; server_no_context_takeover=1', {}],
    ['permessage-deflate; server_no_context_takeover; server_no_context_takeover', {}],
    ['permessage-deflate; server_max_window_bits=11', { windowBits: 10 }],
    ['permessage-deflate', { windowBits: 10 }],
    ['permessage-deflate; server_max_window_bits=10; client_max_window_bits=11', { windowBits: 10 }],
  ];
  for (const [header, offered] of bad) {
    test(`not ${header} to ${JSON.stringify(offered)}`, () => {
      assert.throws(() => checkAnswer(header, offered), { closeCode: 1002 });
    });
  }
});

test('what a server of this package answers to an offer of this package is taken', () => {
  for (const contextTakeover of [false, true]) {
    for (const windowBits of [8, 9, 12, 15]) {
      const offered = { contextTakeover, windowBits };
      for (const wanted of [{}, TAKEOVER, { windowBits: 9 }, { windowBits: 8, ...TAKEOVER }]) {
        const agreement = acceptOffers(offer(offered), wanted);
        assert.deepEqual(checkAnswer(agreement?.header, offered), agreement?.parameters);
      }
    }
  }
});
