import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { createTask, isCancelled } from '../../src/asyncio/index.ts';
import {
  hashPassword,
  needsRehash,
  PasswordHashError,
  PasswordQueueFullError,
  verifyPassword,
} from '../../src/security/index.ts';

const hasArgon2 = typeof crypto.argon2 === 'function';

/** Cheap on purpose: what is tested is not the cost. */
const cheapScrypt = '$scrypt$ln=4,r=8,p=1$AAECAwQFBgcICQoLDA0ODw$';

function cheap(password: string): string {
  const salt = Buffer.from('AAECAwQFBgcICQoLDA0ODw', 'base64');
  const key = crypto.scryptSync(password, salt, 32, { N: 16, r: 8, p: 1 });
  return cheapScrypt + key.toString('base64').replace(/=+$/, '');
}

/** Made by werkzeug 3 with `generate_password_hash('hunter2 é', …)`; the salt is the text between the dollars. */
function werkzeug(method: string, key: Buffer): string {
  return `${method}$saltySALT012$${key.toString('hex')}`;
}

describe('hashPassword and verifyPassword', () => {
  test('a password is verified, another is not, and no two hashes are the same', async () => {
    const [one, two] = await Promise.all([hashPassword('correct horse'), hashPassword('correct horse')]);
    assert.notEqual(one, two);
    assert.match(
      one,
      hasArgon2
        ? /^\$argon2id\$v=19\$m=19456,t=2,p=1\$[\w+/]{22}\$[\w+/]{43}$/
        : /^\$scrypt\$ln=14,r=8,p=5\$[\w+/]{22}\$[\w+/]{43}$/,
    );
    assert.equal(await verifyPassword('correct horse', one), true);
    assert.equal(await verifyPassword('correct horse ', two), false);
    assert.equal(needsRehash(one), false);
  });

  test('scrypt by choice', async () => {
    const hash = await hashPassword('pw', { algorithm: 'scrypt' });
    assert.match(hash, /^\$scrypt\$ln=14,r=8,p=5\$/);
    assert.equal(await verifyPassword('pw', hash), true);
    assert.equal(needsRehash(hash, { algorithm: 'scrypt' }), false);
    assert.equal(needsRehash(hash), hasArgon2);
  });

  test('characters that look the same are the same', async () => {
    assert.equal(await verifyPassword('cafe\u0301 \ufb01', cheap('caf\u00e9 fi')), true);
  });

  test('a password that grows when it is normalised', async () => {
    const long = '\ufdfa'.repeat(1300);
    assert.equal(await verifyPassword(long, await hashPassword(long)), true);
  });

  test('nobody has every password wrong', async () => {
    assert.equal(await verifyPassword('', undefined), false);
    assert.equal(await verifyPassword('pw', undefined, { algorithm: 'scrypt' }), false);
  });

  test('a password that is none is refused', async () => {
    await assert.rejects(hashPassword(''), { name: 'RangeError', code: 'AIO_PASSWORD' });
    await assert.rejects(hashPassword('x'.repeat(4097)), { name: 'RangeError', code: 'AIO_PASSWORD' });
    await assert.rejects(hashPassword(undefined as never), { name: 'TypeError', code: 'AIO_PASSWORD' });
    await assert.rejects(verifyPassword(null as never, cheap('x')), {
      name: 'TypeError',
      code: 'AIO_PASSWORD',
    });
    await assert.rejects(hashPassword('x', { algorithm: 'md5' as never }), { name: 'RangeError' });
    assert.equal(await verifyPassword('x'.repeat(1_000_000), cheap('x')), false);
    assert.equal(await verifyPassword('', cheap('x')), false);
  });

  test('hashes of werkzeug', async () => {
    const salt = Buffer.from('saltySALT012');
    const password = 'hunter2 \u00e9';
    const scrypt = crypto.scryptSync(password, salt, 64, { N: 32_768, r: 8, p: 1, maxmem: 64 * 1024 * 1024 });
    const sha256 = crypto.pbkdf2Sync(password, salt, 1000, 32, 'sha256');
    const sha1 = crypto.pbkdf2Sync(password, salt, 1000, 20, 'sha1');
    for (const hash of [
      werkzeug('scrypt:32768:8:1', scrypt),
      werkzeug('pbkdf2:sha256:1000', sha256),
      werkzeug('pbkdf2:sha1:1000', sha1),
    ]) {
      assert.equal(await verifyPassword(password, hash), true, hash);
      assert.equal(await verifyPassword('hunter3', hash), false, hash);
      assert.equal(needsRehash(hash), true, hash);
    }
  });

  test('known answers: RFC 7914 §12 by another salt, argon2 by argon2-cffi', async () => {
    // hashlib.scrypt(b'pleaseletmein', salt=b'SodiumChloride', n=16384, r=8, p=1, dklen=64), RFC 7914 §12
    const key =
      '7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887';
    const b64 = (bytes: Buffer): string => bytes.toString('base64').replace(/=+$/, '');
    const hash = `$scrypt$ln=14,r=8,p=1$${b64(Buffer.from('SodiumChloride'))}$${b64(Buffer.from(key, 'hex'))}`;
    assert.equal(await verifyPassword('pleaseletmein', hash), true);
    // test.c of the reference implementation (P-H-C/phc-winner-argon2): 2 passes, 2^16 KiB, one lane.
    const argon2 = '$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc';
    if (hasArgon2) {
      assert.equal(await verifyPassword('password', argon2), true);
      assert.equal(needsRehash(argon2), false);
      assert.equal(needsRehash(argon2.replace('m=65536', 'm=8')), true);
    } else {
      await assert.rejects(verifyPassword('password', argon2), {
        name: 'PasswordHashError',
        code: 'AIO_PASSWORD_UNSUPPORTED',
        message: /Node v\d+.* cannot compute argon2id/,
      });
      await assert.rejects(hashPassword('x', { algorithm: 'argon2id' }), {
        code: 'AIO_PASSWORD_UNSUPPORTED',
      });
      assert.equal(needsRehash(argon2), false);
    }
    assert.equal(needsRehash(argon2, { algorithm: 'scrypt' }), true);
  });
});

describe('hostile and damaged hashes', () => {
  const end = '$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc';
  const hex = '00'.repeat(32);
  const table: readonly [string, 'AIO_PASSWORD_HASH' | 'AIO_PASSWORD_COST'][] = [
    [`$argon2id$v=19$m=1073741824,t=2,p=1${end}`, 'AIO_PASSWORD_COST'],
    [`$argon2id$v=19$m=65536,t=4000000000,p=1${end}`, 'AIO_PASSWORD_COST'],
    [`$argon2id$v=19$m=262144,t=32,p=1${end}`, 'AIO_PASSWORD_COST'],
    [`$argon2id$v=19$m=65536,t=2,p=4096${end}`, 'AIO_PASSWORD_COST'],
    [`$argon2id$v=19$m=7,t=2,p=1${end}`, 'AIO_PASSWORD_HASH'],
    [`$argon2id$v=19$m=19456,t=0,p=1${end}`, 'AIO_PASSWORD_HASH'],
    [`$argon2id$v=19$m=19456,t=2,p=0${end}`, 'AIO_PASSWORD_HASH'],
    [`$argon2id$v=16$m=19456,t=2,p=1${end}`, 'AIO_PASSWORD_HASH'],
    [`$argon2id$m=19456,t=2,p=1${end}`, 'AIO_PASSWORD_HASH'],
    [`$argon2id$v=19$m=19456,t=2,p=1,x=1${end}`, 'AIO_PASSWORD_HASH'],
    [`$argon2id$v=19$m=1e4,t=2,p=1${end}`, 'AIO_PASSWORD_HASH'],
    [`$argon2i$v=19$m=19456,t=2,p=1${end}`, 'AIO_PASSWORD_HASH'],
    [
      '$argon2id$v=19$m=19456,t=2,p=1$c29tZQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc',
      'AIO_PASSWORD_HASH',
    ],
    ['$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQ$AA', 'AIO_PASSWORD_HASH'],
    [
      '$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQ=$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc',
      'AIO_PASSWORD_HASH',
    ],
    [`$scrypt$ln=99,r=8,p=1${end}`, 'AIO_PASSWORD_COST'],
    [`$scrypt$ln=20,r=8,p=1${end}`, 'AIO_PASSWORD_COST'],
    [`$scrypt$ln=4,r=100000000,p=1${end}`, 'AIO_PASSWORD_COST'],
    [`$scrypt$ln=14,r=8,p=100000${end}`, 'AIO_PASSWORD_COST'],
    [`$scrypt$ln=0,r=8,p=1${end}`, 'AIO_PASSWORD_HASH'],
    [`$scrypt$ln=14,r=0,p=1${end}`, 'AIO_PASSWORD_HASH'],
    [`scrypt:1073741824:8:1$salt$${hex}`, 'AIO_PASSWORD_COST'],
    [`scrypt:32769:8:1$salt$${hex}`, 'AIO_PASSWORD_HASH'],
    [`scrypt:32768:8:1$$${hex}`, 'AIO_PASSWORD_HASH'],
    [`scrypt:32768:8:1$salt$${hex}0`, 'AIO_PASSWORD_HASH'],
    [`pbkdf2:sha256:4000000000$salt$${hex}`, 'AIO_PASSWORD_COST'],
    [`pbkdf2:sha256:0$salt$${hex}`, 'AIO_PASSWORD_HASH'],
    [`pbkdf2:sha256$salt$${hex}`, 'AIO_PASSWORD_HASH'],
    [`pbkdf2:md5:1000$salt$${'00'.repeat(16)}`, 'AIO_PASSWORD_HASH'],
    [`pbkdf2:constructor:1000$salt$${hex}`, 'AIO_PASSWORD_HASH'],
    [`pbkdf2:sha256:1000$salt$${'00'.repeat(20)}`, 'AIO_PASSWORD_HASH'],
    ['', 'AIO_PASSWORD_HASH'],
    ['plain text', 'AIO_PASSWORD_HASH'],
    ['$2b$12$abcdefghijklmnopqrstuuAvZtLp9Y0YjGmXoLwZ1i4J0C4gXbO2m', 'AIO_PASSWORD_HASH'],
    [`$scrypt$${'x'.repeat(100_000)}`, 'AIO_PASSWORD_HASH'],
  ];
  for (const [hash, code] of table) {
    test(`${code}: ${hash.slice(0, 60)}`, async () => {
      await assert.rejects(verifyPassword('x', hash), { name: 'PasswordHashError', code });
      assert.throws(() => needsRehash(hash), { code });
    });
  }

  test('whatever the text, the answer is a verdict or a PasswordHashError', () => {
    const part = fc.oneof(
      fc.constantFrom(
        '',
        'argon2id',
        'scrypt',
        'v=19',
        'm=8,t=1,p=1',
        'ln=4,r=8,p=1',
        'pbkdf2:sha256:1',
        'scrypt:16:8:1',
        'c29tZXNhbHQ',
        hex,
      ),
      fc.string(),
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 7 }), (parts) => {
        try {
          needsRehash(parts.join('$'));
        } catch (error) {
          assert.ok(error instanceof PasswordHashError);
        }
      }),
      { seed: 8, numRuns: 3000 },
    );
  });
});

describe('many at once', () => {
  test('the order is kept, a bounded number waits, and one that is turned away says when to come again', async () => {
    const hash = cheap('x');
    const ends: number[] = [];
    const all = await Promise.allSettled(
      Array.from({ length: 600 }, async (_, index) => {
        assert.equal(await verifyPassword('x', hash), true);
        ends.push(index);
      }),
    );
    const refused = all.flatMap((one) => (one.status === 'rejected' ? [one.reason as unknown] : []));
    assert.ok(refused.length > 0 && refused.length < 600, `${refused.length} refused`);
    assert.ok(refused.every((error) => error instanceof PasswordQueueFullError));
    const [first] = refused as PasswordQueueFullError[];
    assert.equal(first?.status, 503);
    assert.equal(first?.code, 'AIO_PASSWORD_BUSY');
    assert.equal(first?.headers.get('Retry-After'), '5');
    assert.equal(Math.max(...ends), ends.length - 1, 'the last ones were refused, not any');
    assert.equal(await verifyPassword('x', hash), true, 'and it goes on');
  });

  test('one that is cancelled leaves the queue', async () => {
    const hash = cheap('x');
    const tasks = Array.from({ length: 50 }, () => createTask(() => verifyPassword('x', hash)));
    await Promise.resolve();
    for (const task of tasks) task.cancel();
    const ended = await Promise.allSettled(tasks);
    assert.ok(ended.every((one) => one.status === 'rejected' && isCancelled(one.reason)));
    assert.equal(await verifyPassword('x', hash), true);
  });
});
