import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Server, type ServerOptions } from '../../src/net/index.ts';

const optionsOf = (options: Partial<ServerOptions>): ServerOptions => new Server(() => {}, options).options;

describe('ServerOptions', () => {
  test('have the defaults that are documented', () => {
    const { logger, ...options } = optionsOf({});
    assert.equal(logger, console);
    assert.deepEqual(options, {
      maxLineSize: 8190,
      maxFieldSize: 8190,
      maxHeaders: 128,
      maxHeadSize: 65_536,
      maxTrailerSize: 16_384,
      maxChunkExtensionSize: 16_384,
      headersTimeout: 30_000,
      bodyMinRate: 240,
      bodyGracePeriod: 5_000,
      keepAliveTimeout: 75_000,
      handlerTimeout: 0,
      sendTimeout: 60_000,
      lingerTimeout: 10_000,
      maxConnections: Infinity,
      serverHeader: 'aiohttp-ts',
    });
  });

  test('undefined is the default, 0 and false are values', () => {
    assert.equal(optionsOf({ keepAliveTimeout: undefined as unknown as number }).keepAliveTimeout, 75_000);
    assert.equal(optionsOf({ keepAliveTimeout: 0 }).keepAliveTimeout, 0);
    assert.equal(optionsOf({ serverHeader: false }).serverHeader, false);
  });

  const refused: readonly (readonly [options: Partial<ServerOptions>, message: string])[] = [
    [{ headersTimeout: -1 }, 'headersTimeout must be a number of milliseconds, 0 or more, got -1'],
    [
      { keepAliveTimeout: Number.NaN },
      'keepAliveTimeout must be a number of milliseconds, 0 or more, got NaN',
    ],
    [
      { sendTimeout: '5' as unknown as number },
      'sendTimeout must be a number of milliseconds, 0 or more, got 5',
    ],
    [{ bodyMinRate: -1 }, 'bodyMinRate must be a number of bytes a second, 0 or more, got -1'],
    [{ maxConnections: 0 }, 'maxConnections must be at least 1, got 0'],
    [{ maxHeaders: 0 }, 'maxHeaders must be a positive integer of bytes or fields, got 0'],
  ];
  for (const [options, message] of refused) {
    test(message, () => assert.throws(() => optionsOf(options), { name: 'RangeError', message }));
  }

  test('a Server field that would split a response is refused at once', () => {
    assert.throws(() => optionsOf({ serverHeader: 'a\r\nX: y' }), { code: 'AIO_BAD_HEAD' });
  });

  test('the clock ticks as finely as the shortest limit needs', () => {
    const tick = (options: Partial<ServerOptions>): number => new Server(() => {}, options).wheel.tickLength;
    assert.equal(tick({}), 500);
    assert.equal(tick({ keepAliveTimeout: 100 }), 25);
    assert.equal(tick({ keepAliveTimeout: 1 }), 10);
    assert.equal(tick({ keepAliveTimeout: 0 }), 500);
  });
});
