import fc from 'fast-check';

const some = <T>(...items: readonly T[]): fc.Arbitrary<T> => fc.constantFrom(...items);
/** Mostly the first, which is right; sometimes one of the others, which is not quite. */
const mostly = (right: string, ...others: readonly string[]): fc.Arbitrary<string> =>
  fc.oneof({ weight: 12, arbitrary: fc.constant(right) }, { weight: 1, arbitrary: some(...others) });

const lineEnd = mostly('\r\n', '\n', '\r', '\r\r\n', '\n\r', ' \r\n', '');
const method = some(
  'GET',
  'GET',
  'POST',
  'HEAD',
  'PUT',
  'OPTIONS',
  'get',
  'PATCHY',
  'M-SEARCH',
  'G T',
  'G\0T',
  '',
);
const target = fc.oneof(
  { weight: 4, arbitrary: some('/', '/a?b=c', '/%41', '//x', '/a;b=c,d') },
  {
    weight: 1,
    arbitrary: some(
      '*',
      'http://h/x',
      'http://u@h/',
      'h:1',
      'x',
      '/#f',
      '/\xe4',
      '/a\tb',
      '/a b',
      '/"<>',
      '',
      'http://',
    ),
  },
);
const version = mostly(
  'HTTP/1.1',
  'HTTP/1.0',
  'HTTP/2.0',
  'HTTP/0.9',
  'HTTP/1.2',
  'HTTP/1',
  'HTTP/11.1',
  'http/1.1',
  'HTTP/1.1 ',
  'ICE/1.1',
  '',
);
const space = mostly(' ', '  ', '\t', '');
const fieldName = fc.oneof(
  { weight: 5, arbitrary: some('X', 'Accept', 'x-long-name-of-a-field', 'Te', "!#$%&'*+-.^_`|~") },
  { weight: 1, arbitrary: some('X ', ' X', '', 'X\0', 'X(y)', 'X\xe4', 'X\tY', '\x0b') },
);
const fieldValue = fc.oneof(
  { weight: 5, arbitrary: some('a', '', 'a, b', '"q"', ' a ', '\ta\t', '\xe4\xff') },
  { weight: 1, arbitrary: some('a\0b', 'a\x0bb', 'a\x7f', 'a\r\n b', 'a\nb', 'a\rb', '\x1b') },
);
// No Upgrade: what node does with the bytes behind it is decided by its server, not by llhttp.
const framingField = fc.oneof(
  fc.tuple(
    some('Content-Length', 'content-length', 'Content-length'),
    mostly(
      '0',
      '3',
      '+3',
      '-3',
      '3, 3',
      '3 3',
      '0x3',
      '1_0',
      '3;',
      '',
      '\x0b3',
      '99999999999999999999',
      '03',
    ),
  ),
  fc.tuple(
    some('Transfer-Encoding', 'transfer-encoding'),
    mostly(
      'chunked',
      'Chunked',
      'gzip, chunked',
      'chunked, gzip',
      'identity',
      'xchunked',
      'chunked, chunked',
      '',
      'chunked ;x',
      'chun\nked',
    ),
  ),
  fc.tuple(
    some('Connection', 'connection'),
    some('close', 'keep-alive', 'x, close', 'upgrade', 'closed', ''),
  ),
  fc.tuple(some('Host', 'host'), some('a', 'b:80', '', 'a b', '[::1]', 'a/b')),
  fc.tuple(some('Expect'), some('100-continue', 'x')),
);
const field = fc
  .tuple(
    fc.oneof(
      { weight: 2, arbitrary: fc.tuple(fieldName, fieldValue) },
      { weight: 1, arbitrary: framingField },
    ),
    mostly(': ', ':', ' : ', ':\t', ''),
    lineEnd,
  )
  .map(([[name, value], colon, end]) => name + colon + value + end);
const chunkSize = fc.oneof(
  { weight: 6, arbitrary: some('3', '03', '003') },
  { weight: 1, arbitrary: some('4', '2', 'g', '', ' 3', '3 ', '0x3', '-3', 'fffffffffffffffff', '3g') },
);
const chunkExtension = fc.oneof(
  { weight: 6, arbitrary: fc.constant('') },
  {
    weight: 1,
    arbitrary: some(
      ';a',
      ';a=b',
      ';a="b;c"',
      ';a="b',
      ';',
      ';a=',
      ' ;a',
      '; a',
      ';a=b c',
      ';\0',
      ';a\nb',
      ';a="\\""',
    ),
  },
);
const chunk = fc
  .tuple(chunkSize, chunkExtension, lineEnd, mostly('abc', 'ab', 'abcd'), lineEnd)
  .map((parts) => parts.join(''));
const chunkedBody = fc
  .tuple(
    fc.array(chunk, { maxLength: 3 }),
    mostly('0', '00', '', 'x'),
    chunkExtension,
    lineEnd,
    fc.array(field, { maxLength: 1 }),
    lineEnd,
  )
  .map(
    ([chunks, last, extension, end, trailers, empty]) =>
      chunks.join('') + last + extension + end + trailers.join('') + empty,
  );
const requestLine = fc
  .tuple(mostly('', '\r\n', '\n', '\r\n\r\n\r\n', ' '), method, space, target, space, version, lineEnd)
  .map((parts) => parts.join(''));
const plainLine = some('GET / HTTP/1.1\r\n', 'POST /a HTTP/1.1\r\n', 'PUT / HTTP/1.0\r\n');
const line = fc.oneof({ weight: 2, arbitrary: plainLine }, { weight: 1, arbitrary: requestLine });
const host = mostly('Host: a\r\n', '', 'Host: b\r\nHost: c\r\n', 'hOST:a:1\r\n');

const request = fc.oneof(
  fc
    .tuple(line, host, fc.array(field, { maxLength: 3 }), lineEnd)
    .map(([start, name, fields, end]) => start + name + fields.join('') + end),
  fc
    .tuple(line, host, fc.array(field, { maxLength: 1 }), chunkedBody)
    .map(
      ([start, name, fields, body]) =>
        `${start}${name}${fields.join('')}Transfer-Encoding: chunked\r\n\r\n${body}`,
    ),
  fc
    .tuple(line, host, fc.array(field, { maxLength: 1 }), mostly('abc', 'ab', 'abcd', ''))
    .map(
      ([start, name, fields, body]) => `${start}${name}${fields.join('')}Content-Length: 3\r\n\r\n${body}`,
    ),
);

/** One byte is changed, taken away or put in. */
const mutation = fc.tuple(
  fc.nat(),
  some('replace', 'delete', 'insert'),
  fc.oneof(fc.nat(255), some(10, 13, 32, 0, 58, 9, 48)),
);
/** Up to three requests one behind the other, each of them right or nearly right. */
export const nearRequests: fc.Arbitrary<string> = fc
  .tuple(fc.array(request, { minLength: 1, maxLength: 3 }), fc.option(mutation, { freq: 3 }))
  .map(([requests, change]) => {
    const whole = requests.join('');
    if (change === null || whole.length === 0) return whole;
    const [where, how, byte] = change;
    const at = where % whole.length;
    const put = how === 'delete' ? '' : String.fromCharCode(byte);
    return whole.slice(0, at) + put + whole.slice(how === 'insert' ? at : at + 1);
  });
