import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { contentTypeByName, mediaTypeByExtension, parseMediaType } from '../../src/message/index.ts';

describe('mediaTypeByExtension', () => {
  const table: readonly [string, string | undefined][] = [
    ['a.html', 'text/html'],
    ['A.HTM', 'text/html'],
    ['/x/y.css', 'text/css'],
    ['a.js', 'text/javascript'],
    ['a.min.js.map', 'application/json'],
    ['a.tar.gz', 'application/gzip'],
    ['.png', 'image/png'],
    ['a.', undefined],
    ['a', undefined],
    ['', undefined],
    ['a.html/b', undefined],
    ['a.constructor', undefined],
    ['a.__proto__', undefined],
    [`a.${'x'.repeat(1_000)}`, undefined],
  ];
  for (const [name, type] of table) {
    test(`${name.slice(0, 20)}: ${type}`, () => assert.equal(mediaTypeByExtension(name), type));
  }
});

test('contentTypeByName gives text a charset, and never fails', () => {
  assert.equal(contentTypeByName('a.txt'), 'text/plain; charset=utf-8');
  assert.equal(contentTypeByName('a.json'), 'application/json');
  assert.equal(contentTypeByName('a.svg'), 'image/svg+xml');
  assert.equal(contentTypeByName('LICENSE'), 'application/octet-stream');
  for (const extension of ['mp4', 'webm', 'woff2', 'wasm', 'pdf', 'docx', 'webmanifest', 'avif', 'm3u8']) {
    const type = parseMediaType(contentTypeByName(`a.${extension}`))?.type;
    assert.ok(type !== undefined && type !== 'application/octet-stream', extension);
  }
});
