// The vectors of https://github.com/fernet/spec (generate.json, verify.json, invalid.json).

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Fernet } from '../../src/session/fernet.ts';

const fernet = new Fernet(Buffer.from('cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=', 'base64url'));
const begun = Date.parse('1985-10-26T01:20:00-07:00');
const hello =
  'gAAAAAAdwJ6wAAECAwQFBgcICQoLDA0ODy021cpGVWKZ_eEwCGM4BLLF_5CV9dOPmrhuVUPgJobwOz7JcbmrR64jVmpU4IwqDA==';

describe('Fernet', () => {
  test('generate', () => {
    const iv = Buffer.from(Array.from({ length: 16 }, (_, index) => index));
    assert.equal(fernet.seal('hello', begun, iv), hello);
  });

  test('verify', () => {
    assert.deepEqual(fernet.open(hello), { text: 'hello', time: begun });
  });

  const invalid: readonly (readonly [what: string, token: string])[] = [
    [
      'incorrect mac',
      'gAAAAAAdwJ6xAAECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPAl1-szkFVzXTuGb4hR8AKtwcaX1YdykQUFBQUFBQUFBQQ==',
    ],
    ['too short', 'gAAAAAAdwJ6xAAECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPA=='],
    [
      'invalid base64',
      '%%%%%%%%%%%%%AECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPAl1-szkFVzXTuGb4hR8AKtwcaX1YdykRtfsH-p1YsUD2Q==',
    ],
    [
      'payload size not multiple of block size',
      'gAAAAAAdwJ6xAAECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPOm73QeoCk9uGib28Xe5vz6oxq5nmxbx_v7mrfyudzUm',
    ],
    [
      'payload padding error',
      'gAAAAAAdwJ6xAAECAwQFBgcICQoLDA0ODz4LEpdELGQAad7aNEHbf-JkLPIpuiYRLQ3RtXatOYREu2FWke6CnJNYIbkuKNqOhw==',
    ],
    [
      'incorrect IV (causes padding error)',
      'gAAAAAAdwJ6xBQECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPAkLhFLHpGtDBRLRTZeUfWgHSv49TF2AUEZ1TIvcZjK1zQ==',
    ],
    ['nothing', ''],
    ['the standard alphabet', hello.replaceAll('-', '+').replaceAll('_', '/')],
    ['without its padding', hello.replaceAll('=', '')],
  ];
  for (const [what, token] of invalid) {
    test(`invalid: ${what}`, () => assert.equal(fernet.open(token), undefined));
  }

  test('the time is what the one who opens must judge', () => {
    // far-future TS (unacceptable clock skew), and expired TTL
    const future =
      'gAAAAAAdwStRAAECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPAnja1xKYyhd-Y6mSkTOyTGJmw2Xc2a6kBd-iX9b_qXQcw==';
    const past =
      'gAAAAAAdwJ6xAAECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPAl1-szkFVzXTuGb4hR8AKtwcaX1YdykRtfsH-p1YsUD2Q==';
    assert.equal(fernet.open(future)?.time, begun + 36_001_000);
    assert.equal(fernet.open(past)?.time, begun + 1000);
  });

  test('a changed bit anywhere is noticed', () => {
    const bytes = Buffer.from(hello, 'base64url');
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const changed = Buffer.from(bytes);
      changed[bit >> 3]! ^= 1 << (bit & 7);
      const token = changed.toString('base64').replaceAll('+', '-').replaceAll('/', '_');
      assert.equal(fernet.open(token), undefined, `bit ${bit}`);
    }
  });
});
