import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { SSRFGuard } from '../../src/client/ssrf-guard.ts';

describe('the guard against requests to the own network', () => {
  const guard = new SSRFGuard();
  const refused = [
    '127.0.0.1',
    '127.255.255.255',
    '0.0.0.0',
    '10.0.0.1',
    '100.64.0.1',
    '169.254.169.254',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '192.0.2.1',
    '198.18.0.1',
    '224.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '::ffff:127.0.0.1',
    '::ffff:7f00:1',
    '0:0:0:0:0:ffff:10.0.0.1',
    '::127.0.0.1',
    'fe80::1',
    'fe80::1%eth0',
    'fc00::1',
    'fd12:3456::1',
    'ff02::1',
    '64:ff9b::7f00:1',
    '2002:7f00:1::',
    '2001:db8::1',
    'not an address',
    '',
    '2130706433',
    '0x7f000001',
  ];
  for (const address of refused)
    test(`'${address}' is refused`, () => assert.equal(guard.allows(address), false));

  const allowed = [
    '8.8.8.8',
    '93.184.216.34',
    '172.32.0.1',
    '100.128.0.1',
    '2606:4700:4700::1111',
    '::ffff:8.8.8.8',
  ];
  for (const address of allowed)
    test(`${address} is let through`, () => assert.equal(guard.allows(address), true));

  test('with exceptions both ways', () => {
    const special = new SSRFGuard({ allow: ['10.1.0.0/16', 'fd00::/8'], deny: ['8.8.8.0/24', '10.1.2.3'] });
    const results = [
      '10.1.9.9',
      '10.2.0.1',
      '10.1.2.3',
      '8.8.8.8',
      '8.8.4.4',
      'fd00::5',
      '::ffff:10.1.0.1',
      '::ffff:8.8.8.8',
    ];
    assert.deepEqual(
      results.map((address) => special.allows(address)),
      [true, false, false, false, true, true, true, false],
    );
  });

  test('what is no network is refused', () => {
    for (const network of [
      '10.0.0.0/33',
      '10.0.0/8',
      'example.test',
      '::/129',
      '10.0.0.0/',
      '10.0.0.0/x',
      '1.2.3.4/-1',
    ]) {
      assert.throws(() => new SSRFGuard({ allow: [network] }), { code: 'AIO_NETWORK' }, network);
    }
  });

  test('names that a proxy resolves', () => {
    assert.deepEqual(
      ['localhost', 'a.LOCALHOST.', 'notlocalhost', 'example.test', '10.0.0.1'].map((host) =>
        guard.allowsUnresolved(host),
      ),
      [false, false, true, true, false],
    );
  });
});
