import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { formatContentDisposition, parseContentDisposition, safeFileName } from '../../src/message/index.ts';

const latin1 = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');

describe('Content-Disposition is read', () => {
  const fields: readonly [value: string, name: string | undefined, filename: string | undefined][] = [
    // What browsers send.
    ['form-data; name="a"', 'a', undefined],
    ['form-data; name="a"; filename="x.txt"', 'a', 'x.txt'],
    ['form-data; name="a"; filename=""', 'a', ''],
    ['form-data; name="a%22b"; filename="%0D%0Ax%0a%0d.txt"', 'a"b', '\r\nx\n\r.txt'],
    ['form-data; name="100%25"; filename="%41.txt"', '100%25', '%41.txt'],
    [latin1('form-data; name="имя"; filename="日本.png"'), 'имя', '日本.png'],
    ['form-data; name="\xe9"', 'é', undefined],
    ['form-data; name="a\\b"', 'a\\b', undefined],
    ['form-data; name="a\\"', 'a\\', undefined],
    ['form-data; name="a\\"; filename="b\\"', 'a\\', 'b\\'],
    ['form-data; name="a;b=c"; filename="d; e.txt"', 'a;b=c', 'd; e.txt'],
    // Old browsers and other programs.
    ['form-data; name="a"; filename="C:\\docs\\x.txt"', 'a', 'C:\\docs\\x.txt'],
    ['form-data; name="a\\"b"; filename="\\\\host\\x"', 'a"b', '\\host\\x'],
    ['FORM-DATA; NAME=a; FileName=b', 'a', 'b'],
    ['form-data;name = "a" ; filename\t=\tb', 'a', 'b'],
    ['form-data;; name="a";', 'a', undefined],
    ['attachment; filename=my file.pdf', undefined, 'my file.pdf'],
    ['attachment; filename=na\xefve.txt', undefined, 'naïve.txt'],
    ['attachment; filename="%22.txt"', undefined, '%22.txt'],
    // RFC 8187, RFC 2231.
    ["attachment; filename*=UTF-8''%e2%82%ac.txt", undefined, '€.txt'],
    ["attachment; filename*=iso-8859-1'en'%A3.txt; filename=x", undefined, '£.txt'],
    ["attachment; filename=x; filename*=utf-8''%ff", undefined, 'x'],
    ["attachment; filename=x; filename*=utf-8''%zz", undefined, 'x'],
    ['attachment; filename=x; filename*=plain', undefined, 'x'],
    ["attachment; filename=x; filename*=nonsense''y", undefined, 'x'],
    ['attachment; filename*0="a b"; filename*1=c.txt', undefined, 'a bc.txt'],
    ["attachment; filename*0*=utf-8''%E2%82; filename*1*=%AC; filename*2=.t", undefined, '€.t'],
    ['attachment; filename*1=b; filename*2=c', undefined, undefined],
    ['inline', undefined, undefined],
  ];
  for (const [value, name, filename] of fields) {
    test(value, () => {
      const parsed = parseContentDisposition(value);
      assert.deepEqual([parsed?.name, parsed?.filename], [name, filename]);
    });
  }

  const malformed = [
    '',
    '; name=a',
    'form data; name=a',
    '"form-data"; name=a',
    'form-data; name="a',
    'form-data; name="a"x',
    'form-data; name',
    'form-data; name=',
    'form-data; name="a"; name="b"',
    'form-data; name=a; NAME=b',
    'form-data; na me=a',
    'form-data; =a',
    'form-data name=a',
    'form-data; name=a"b"',
    "attachment; filename*=utf-8''a; filename*=utf-8''b",
  ];
  for (const value of malformed) {
    test(`not ${value}`, () => assert.equal(parseContentDisposition(value), undefined));
  }

  test('long hostile values take no long time', () => {
    for (const unit of [';', '; ', 'a=', '"', '\\', '\\"', '; a="', "; a*='", '%', '=', ' ', '; a*0=']) {
      parseContentDisposition(`a; b="${unit.repeat(200_000)}`);
      parseContentDisposition(`a${unit.repeat(200_000)}`);
    }
  });
});

describe('Content-Disposition is written', () => {
  test('as browsers write it', () => {
    const write = (name: string, filename?: string): string =>
      formatContentDisposition('form-data', { name, filename }, 'form-data');
    assert.equal(write('a'), 'form-data; name="a"');
    assert.equal(write('a"b\n', 'é\\"\r.txt'), 'form-data; name="a%22b%0D%0A"; filename="é\\%22%0D.txt"');
    assert.throws(() => write('a\0'), { name: 'TypeError', code: 'AIO_CONTENT_DISPOSITION' });
    assert.throws(() => formatContentDisposition('a b', {}, 'form-data'), {
      code: 'AIO_CONTENT_DISPOSITION',
    });
  });

  test('as RFC 6266 wants it in a header field', () => {
    const write = (filename: string): string =>
      formatContentDisposition('attachment', { filename }, 'attachment');
    assert.equal(write('a b.txt'), 'attachment; filename="a b.txt"');
    assert.equal(write('a"b'), `attachment; filename="a\\"b"; filename*=UTF-8''a%22b`);
    assert.equal(
      write("€'(x).txt"),
      `attachment; filename="_'(x).txt"; filename*=UTF-8''%E2%82%AC%27%28x%29.txt`,
    );
    assert.equal(write('%41'), `attachment; filename="%41"; filename*=UTF-8''%2541`);
    assert.throws(() => write('a\r\nSet-Cookie: b'), { code: 'AIO_CONTENT_DISPOSITION' });
  });

  test('what is written is read again', () => {
    const text = fc.string({ unit: 'binary' }).filter((name) => !/[\x00-\x1f\x7f-\x9f]/.test(name));
    fc.assert(
      fc.property(text, (filename) => {
        const wellFormed = filename.replace(/\p{Surrogate}/gu, '\ufffd');
        const field = formatContentDisposition('attachment', { filename }, 'attachment');
        assert.equal(parseContentDisposition(field)?.filename, wellFormed);
        if (/%(?:22|0[ADad])|\\["\\]|\\$/.test(filename)) return;
        const part = latin1(formatContentDisposition('form-data', { name: filename }, 'form-data'));
        assert.equal(parseContentDisposition(part)?.name, wellFormed);
      }),
      { seed: 5 },
    );
  });
});

describe('safeFileName', () => {
  const names: readonly [given: string, safe: string][] = [
    ['a.txt', 'a.txt'],
    ['日本 語.png', '日本 語.png'],
    ['../../etc/passwd', 'passwd'],
    ['..\\..\\x.txt', 'x.txt'],
    ['C:\\docs\\x.txt', 'x.txt'],
    ['C:x.txt', 'C_x.txt'],
    ['x.txt::$DATA', 'x.txt__$DATA'],
    ['/', 'file'],
    ['', 'file'],
    ['.', 'file'],
    ['..', 'file'],
    [' . ', 'file'],
    ['\0', 'file'],
    ['a\0.txt', 'a.txt'],
    ['a\r\nb.txt', 'ab.txt'],
    ['.htaccess', '_htaccess'],
    ['...x', '_x'],
    ['x. .', 'x'],
    ['  x ', 'x'],
    ['<a>"b|c?d*', '_a__b_c_d_'],
    ['con', '_con'],
    ['NUL.txt', '_NUL.txt'],
    ['com1 .txt', '_com1 .txt'],
    ['lpt\u00b2', '_lpt\u00b2'],
    ['console.txt', 'console.txt'],
    ['photo\u202egnp.exe', 'photognp.exe'],
    ['e\u0301.txt', 'é.txt'],
    ['\ud800.txt', '_.txt'],
  ];
  for (const [given, safe] of names) {
    test(JSON.stringify(given), () => assert.equal(safeFileName(given), safe));
  }

  test('is never longer than a file system takes, and keeps the extension', () => {
    assert.equal(safeFileName(`${'a'.repeat(300)}.txt`), `${'a'.repeat(251)}.txt`);
    assert.equal(safeFileName(`${'😀'.repeat(100)}.jpeg`), `${'😀'.repeat(62)}.jpeg`);
    assert.equal(Buffer.byteLength(safeFileName(`a.${'é'.repeat(300)}`)), 254);
  });

  test('any text becomes the name of a file', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 400 }), (text) => {
        const name = safeFileName(text);
        assert.ok(name.length > 0 && Buffer.byteLength(name) <= 255);
        assert.doesNotMatch(name, /[\x00-\x1f\x7f-\x9f/\\<>:"|?*]|^\.|[. ]$/);
        assert.equal(safeFileName(name), name);
      }),
      { seed: 6 },
    );
  });

  test('long hostile names take no long time', () => {
    for (const unit of [' ', '.', '. ', '/', 'con ', '\0', 'a.']) safeFileName(`${unit.repeat(200_000)}x`);
  });
});
