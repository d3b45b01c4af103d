import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { expectTypeOf } from 'expect-type';
import { web } from '../../src/index.ts';
import type { MultiDictProxy } from '../../src/message/index.ts';
import { makeRequest } from './answer.ts';
import { FormServer, form, formPart } from './form-server.ts';

const MULTIPART = 'multipart/form-data; boundary=b';
const URLENCODED = 'application/x-www-form-urlencoded';

function request(body: string | Uint8Array, type: string | undefined, method = 'POST'): web.Request {
  const bytes = Buffer.from(body as string, 'latin1');
  return makeRequest('/', {
    method,
    body: bytes,
    headers: type === undefined ? {} : { 'Content-Type': type },
  });
}

/** Fields as pairs; a file as its name, type and text. */
async function entries(form: MultiDictProxy<web.FormEntry>): Promise<unknown[]> {
  const list: unknown[] = [];
  for (const [name, value] of form) {
    list.push([
      name,
      value instanceof web.FileField ? [value.filename, value.contentType, await value.text()] : value,
    ]);
  }
  return list;
}

async function posted(
  body: string | Uint8Array,
  type?: string,
  options?: web.PostOptions,
): Promise<unknown[]> {
  return entries(await request(body, type ?? MULTIPART).post(options));
}

async function refused(
  body: string | Uint8Array,
  status: number,
  code: string | undefined,
  type?: string,
  options?: web.PostOptions,
): Promise<void> {
  const error = await request(body, type ?? MULTIPART)
    .post(options)
    .then(
      () => assert.fail('was taken'),
      (caught: unknown) => caught,
    );
  assert.ok(error instanceof web.HTTPException, String(error));
  assert.equal(error.status, status);
  if (code !== undefined) assert.equal((error.cause as { code?: unknown }).code, code);
}

describe('request.post() of urlencoded forms', () => {
  const forms: readonly [body: string, type: string, expected: [string, string][]][] = [
    [
      'a=1&b=%C3%A9+x&a=2',
      URLENCODED,
      [
        ['a', '1'],
        ['b', 'é x'],
        ['a', '2'],
      ],
    ],
    ['a=1\r\n', `${URLENCODED}; charset=UTF-8`, [['a', '1']]],
    [
      'a&=b&&c=',
      URLENCODED,
      [
        ['a', ''],
        ['', 'b'],
        ['c', ''],
      ],
    ],
    [
      'a=%E9&b=\xe9+',
      `${URLENCODED}; charset=iso-8859-1`,
      [
        ['a', 'é'],
        ['b', 'é '],
      ],
    ],
    ['a=%82%A0', `${URLENCODED}; charset=shift_jis`, [['a', 'あ']]],
    ['a=%E9%', URLENCODED, [['a', '\ufffd%']]],
    ['', URLENCODED, []],
    ['a=1', '', [['a', '1']]],
  ];
  for (const [body, type, expected] of forms) {
    test(`${JSON.stringify(body)} as ${type}`, async () =>
      assert.deepEqual(await posted(body, type), expected));
  }

  test('what is no text, or in an unknown charset, is refused', async () => {
    await refused('a=\xe9', 400, 'AIO_UNDECODABLE_TEXT', URLENCODED);
    await refused('a=%FF', 400, 'AIO_UNDECODABLE_TEXT', `${URLENCODED}; charset=shift_jis`);
    await refused('a=1', 415, 'AIO_UNKNOWN_CHARSET', `${URLENCODED}; charset=nope`);
  });

  test('the number of fields is limited', async () => {
    assert.equal((await posted('a=1&'.repeat(1000), URLENCODED)).length, 1000);
    await refused('a=1&'.repeat(1001), 413, 'AIO_MULTIPART_TOO_MANY_PARTS', URLENCODED);
    await refused('a=1&b=2', 413, 'AIO_MULTIPART_TOO_MANY_PARTS', URLENCODED, { maxParts: 1 });
    assert.equal((await posted('&&a&&b&&', URLENCODED, { maxParts: 2 })).length, 2);
  });

  test('millions of fields are refused before they are taken apart', async () => {
    // A form of 8 MB took the event loop for seconds and a hundred times its size: the fields were counted when they were there.
    const body = Buffer.alloc(8_000_000, '&a');
    const many = makeRequest('/', {
      method: 'POST',
      body,
      headers: { 'Content-Type': URLENCODED },
    }).clone({ clientMaxSize: 0 });
    const before = process.memoryUsage().heapUsed;
    await assert.rejects(many.post(), web.HTTPRequestEntityTooLarge);
    assert.ok(process.memoryUsage().heapUsed - before < 50_000_000);
  });

  test('the bytes of a field and of all of them are limited as in multipart forms', async () => {
    const limits = { maxFieldSize: 9, maxTotalFieldSize: 30 };
    assert.equal(
      (await posted('a=%C3%A912345678&b=123456789', URLENCODED, { ...limits, maxFieldSize: 10 })).length,
      2,
    );
    await refused('a=%C3%A912345678', 413, 'AIO_MULTIPART_PART_TOO_LARGE', URLENCODED, limits);
    await refused(`a=${'b'.repeat(29)}`, 413, undefined, URLENCODED, limits);
  });
});

describe('request.post() of other requests is empty', () => {
  for (const [method, type] of [
    ['POST', 'application/json'],
    ['POST', 'text/plain'],
    ['POST', 'multipart/mixed; boundary=b'],
    ['POST', 'multipart/form-dataX; boundary=b'],
    ['REPORT', URLENCODED],
  ] as const) {
    test(`${method} ${type}`, async () => assert.equal((await request('a=1', type, method).post()).size, 0));
  }
  test('a request without a body or a type', async () => {
    assert.equal((await makeRequest('/').post()).size, 0);
    assert.equal((await makeRequest('/', { method: 'POST' }).post()).size, 0);
  });
  for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) {
    test(`but not of ${method}`, async () =>
      assert.equal((await request('a=1', URLENCODED, method).post()).size, 1));
  }
});

describe('request.post() of multipart forms', () => {
  const utf8 = (text: string): string => Buffer.from(text).toString('latin1');

  test('fields and files, repeated names too', async () => {
    const body = form(
      formPart('a', utf8('é')),
      formPart('f', 'content', 'x.txt', 'text/plain'),
      formPart('f', 'text under the same name'),
      formPart('f', '\x00\xff', '../../y.bin'),
      formPart('a', ''),
    );
    const taken = await request(body, MULTIPART).post();
    expectTypeOf(taken).toEqualTypeOf<MultiDictProxy<string | web.FileField>>();
    assert.deepEqual(taken.getAll('a'), ['é', '']);
    const [one, text, two] = taken.getAll('f');
    assert.ok(one instanceof web.FileField && two instanceof web.FileField);
    assert.equal(text, 'text under the same name');
    assert.deepEqual(
      [one.name, one.filename, one.rawFilename, one.contentType, one.size],
      ['f', 'x.txt', 'x.txt', 'text/plain', 7],
    );
    assert.equal(one.headers.get('content-type'), 'text/plain');
    assert.deepEqual(
      [two.filename, two.rawFilename, two.contentType],
      ['y.bin', '../../y.bin', 'application/octet-stream'],
    );
    assert.deepEqual([...(await two.bytes())], [0, 255]);
  });

  // Bodies as browsers sent them.
  const browsers: readonly [name: string, type: string, body: string, expected: unknown[]][] = [
    [
      'Chrome: an empty file input, quotes and line ends in names',
      'multipart/form-data; boundary=----WebKitFormBoundary7MA4YWxkTrZu0gW',
      [
        '------WebKitFormBoundary7MA4YWxkTrZu0gW\r\nContent-Disposition: form-data; name="a%22b%0D%0Ac"\r\n\r\nline\r\nnext\r\n',
        '------WebKitFormBoundary7MA4YWxkTrZu0gW\r\nContent-Disposition: form-data; name="file"; filename=""\r\nContent-Type: application/octet-stream\r\n\r\n\r\n',
        utf8(
          '------WebKitFormBoundary7MA4YWxkTrZu0gW\r\nContent-Disposition: form-data; name="файл"; filename="日本 %22x%22.txt"\r\nContent-Type: text/plain\r\n\r\nhi\r\n',
        ),
        '------WebKitFormBoundary7MA4YWxkTrZu0gW--\r\n',
      ].join(''),
      [
        ['a"b\r\nc', 'line\r\nnext'],
        ['file', ''],
        ['файл', ['日本 _x_.txt', 'text/plain', 'hi']],
      ],
    ],
    [
      'Firefox',
      'multipart/form-data; boundary=---------------------------735323031399963166993862150',
      [
        '-----------------------------735323031399963166993862150\r\nContent-Disposition: form-data; name="text"\r\n\r\n',
        utf8('a\u{1F600}ω\r\n'),
        '-----------------------------735323031399963166993862150\r\nContent-Disposition: form-data; name="f"; filename="a.html"\r\nContent-Type: text/html\r\n\r\n<!DOCTYPE html>\n\r\n',
        '-----------------------------735323031399963166993862150--\r\n',
      ].join(''),
      [
        ['text', 'a\u{1F600}ω'],
        ['f', ['a.html', 'text/html', '<!DOCTYPE html>\n']],
      ],
    ],
    [
      'curl, and a path of an old browser',
      'multipart/form-data; boundary=------------------------d74496d66958873e',
      [
        '--------------------------d74496d66958873e\r\nContent-Disposition: form-data; name="a\\"b"; filename="C:\\docs\\x.txt"\r\nContent-Type: text/plain\r\n\r\nx\r\n',
        '--------------------------d74496d66958873e--\r\n',
      ].join(''),
      [['a"b', ['x.txt', 'text/plain', 'x']]],
    ],
    ['an empty form', MULTIPART, '--b--\r\n', []],
  ];
  for (const [name, type, body, expected] of browsers) {
    test(name, async () => assert.deepEqual(await posted(body, type), expected));
  }

  test('a form that the platform wrote', async () => {
    const data = new FormData();
    data.append('a', 'line\nnext "é"');
    data.append('f', new File(['content'], 'x "y".txt', { type: 'text/css' }));
    data.append('g', new Blob(['blob']));
    const taken = await makeRequest('/', { method: 'POST', body: data }).post();
    assert.deepEqual(await entries(taken), [
      ['a', 'line\r\nnext "é"'],
      ['f', ['x _y_.txt', 'text/css', 'content']],
      ['g', ['blob', 'application/octet-stream', 'blob']],
    ]);
  });

  test('a part that is not text is a file even without a name', async () => {
    const [entry] = await posted(form(formPart('meta', '{"a":1}', undefined, 'application/json')));
    assert.deepEqual(entry, ['meta', ['meta', 'application/json', '{"a":1}']]);
  });

  test('charsets: of a part, of _charset_, of nothing known', async () => {
    assert.deepEqual(await posted(form(formPart('a', '\xe9', undefined, 'text/plain; charset=iso-8859-1'))), [
      ['a', 'é'],
    ]);
    assert.deepEqual(await posted(form(formPart('_charset_', 'iso-8859-1'), formPart('a', '\xe9'))), [
      ['a', 'é'],
    ]);
    assert.deepEqual(await posted(form(formPart('a', 'x'), formPart('_charset_', 'utf-8'))), [
      ['a', 'x'],
      ['_charset_', 'utf-8'],
    ]);
    await refused(form(formPart('_charset_', 'nope'), formPart('a', 'x')), 400, 'AIO_MULTIPART_TEXT');
    await refused(form(formPart('_charset_', 'x'.repeat(1_000_000))), 400, 'AIO_MULTIPART_TEXT');
    await refused(form(formPart('a', '\xe9')), 400, 'AIO_UNDECODABLE_TEXT');
    await refused(
      form(formPart('a', 'x', undefined, 'text/plain; charset=nope')),
      415,
      'AIO_UNKNOWN_CHARSET',
    );
  });

  test('Content-Transfer-Encoding is undone, Content-Encoding and Content-Length say nothing', async () => {
    const part = (head: string, data: string): string =>
      `--b\r\nContent-Disposition: form-data; name="a"\r\n${head}\r\n\r\n${data}\r\n`;
    assert.deepEqual(await posted(form(part('Content-Transfer-Encoding: base64', 'VGlt\r\nZQ=='))), [
      ['a', 'Time'],
    ]);
    assert.deepEqual(await posted(form(part('Content-Transfer-Encoding: quoted-printable', '=C3=A9'))), [
      ['a', 'é'],
    ]);
    assert.deepEqual(await posted(form(part('Content-Length: 1000', 'x'))), [['a', 'x']]);
    assert.deepEqual(await posted(form(part('Content-Encoding: gzip', 'x'))), [['a', 'x']]);
    await refused(form(part('Content-Transfer-Encoding: base64', '*')), 400, 'AIO_MULTIPART_ENCODING');
    await refused(form(part('Content-Transfer-Encoding: zip', 'x')), 400, 'AIO_MULTIPART_ENCODING');
  });

  const malformed: readonly [title: string, body: string, code: string, type?: string][] = [
    ['no boundary parameter', form(formPart('a', 'x')), 'AIO_MULTIPART_BOUNDARY', 'multipart/form-data'],
    [
      'a boundary of 71 characters',
      '',
      'AIO_MULTIPART_BOUNDARY',
      `multipart/form-data; boundary=${'x'.repeat(71)}`,
    ],
    ['two boundaries', form(), 'AIO_MULTIPART_TYPE', 'multipart/form-data; boundary=b; boundary=c'],
    ['an empty body', '', 'AIO_MULTIPART_TRUNCATED'],
    [
      'another boundary',
      form(formPart('a', 'x')),
      'AIO_MULTIPART_TRUNCATED',
      'multipart/form-data; boundary=c',
    ],
    ['no last boundary', formPart('a', 'x'), 'AIO_MULTIPART_TRUNCATED'],
    [
      'a body cut in a file',
      '--b\r\nContent-Disposition: form-data; name="f"; filename="x"\r\n\r\nxyz',
      'AIO_MULTIPART_TRUNCATED',
    ],
    [
      'a part without a name',
      form('--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n'),
      'AIO_MULTIPART_DISPOSITION',
    ],
    ['a part without Content-Disposition', form('--b\r\n\r\nx\r\n'), 'AIO_MULTIPART_DISPOSITION'],
    [
      'a part that is an attachment',
      form('--b\r\nContent-Disposition: attachment; name="a"\r\n\r\nx\r\n'),
      'AIO_MULTIPART_DISPOSITION',
    ],
    [
      'two names',
      form('--b\r\nContent-Disposition: form-data; name="a"; name="b"\r\n\r\nx\r\n'),
      'AIO_MULTIPART_DISPOSITION',
    ],
    [
      'two Content-Dispositions',
      form(
        '--b\r\nContent-Disposition: form-data; name="a"\r\nContent-Disposition: form-data; name="b"\r\n\r\nx\r\n',
      ),
      'AIO_MULTIPART_DISPOSITION',
    ],
    [
      'a nested multipart',
      form(formPart('a', '--c--', undefined, 'multipart/mixed; boundary=c')),
      'AIO_MULTIPART_NESTED',
    ],
    ['a malformed header line', form('--b\r\nContent-Disposition\r\n\r\nx\r\n'), 'AIO_MULTIPART_HEADER'],
  ];
  for (const [title, body, code, type] of malformed) {
    test(`${title} is refused`, () => refused(body, 400, code, type));
  }

  const three = form(formPart('a', 'xy'), formPart('b', 'z'), formPart('f', 'data', 'f'));
  const limits: readonly [options: web.PostOptions, code: string | undefined][] = [
    [{ maxParts: 3, maxFieldSize: 2, maxTotalFieldSize: 3, maxFileSize: 4, maxHeaders: 1 }, undefined],
    [{ maxParts: 2 }, 'AIO_MULTIPART_TOO_MANY_PARTS'],
    [{ maxFieldSize: 1 }, 'AIO_MULTIPART_PART_TOO_LARGE'],
    [{ maxTotalFieldSize: 2 }, 'AIO_MULTIPART_PART_TOO_LARGE'],
    [{ maxFileSize: 3 }, 'AIO_MULTIPART_PART_TOO_LARGE'],
    [{ maxHeaders: 0 }, 'AIO_MULTIPART_HEADERS_TOO_LARGE'],
    [{ maxHeadSize: 20 }, 'AIO_MULTIPART_HEADERS_TOO_LARGE'],
    [{ maxTotalHeadSize: 60 }, 'AIO_MULTIPART_HEADERS_TOO_LARGE'],
  ];
  for (const [options, code] of limits) {
    test(`limits ${JSON.stringify(options)}`, async () => {
      if (code === undefined) assert.equal((await posted(three, MULTIPART, options)).length, 3);
      else await refused(three, 413, code, MULTIPART, options);
    });
  }

  test('a limit that is no number is the program’s fault', async () => {
    for (const options of [{ maxParts: -1 }, { maxFieldSize: Number.NaN }, { memoryLimit: -1 }]) {
      await assert.rejects(request(three, MULTIPART).post(options), {
        name: 'RangeError',
        code: 'AIO_MULTIPART_LIMIT',
      });
    }
  });

  test('clientMaxSize counts every byte of the body', async () => {
    const exact = request(three, MULTIPART).clone({ clientMaxSize: three.length });
    assert.equal((await exact.post()).size, 3);
    const error = await request(three, MULTIPART)
      .clone({ clientMaxSize: three.length - 1 })
      .post()
      .catch((caught: unknown) => caught);
    assert.ok(error instanceof web.HTTPRequestEntityTooLarge);
    assert.equal(error.text, `Maximum request body size ${three.length - 1} exceeded.`);
    assert.equal((await request(three, MULTIPART).clone({ clientMaxSize: 0 }).post()).size, 3);
  });

  test('is read once, also after read()', async () => {
    const one = request(three, MULTIPART);
    const taken = one.post();
    assert.equal(one.post(), taken);
    await taken;
    assert.throws(() => one.clone(), { code: 'AIO_REQUEST_ALREADY_READ' });
    const other = request(three, MULTIPART);
    assert.equal((await other.read()).length, three.length);
    assert.equal((await other.post()).size, 3);
    const third = request(three, MULTIPART);
    await third.read();
    let parts = 0;
    for await (const part of await third.multipart()) if (part instanceof web.BodyPartReader) parts++;
    assert.equal(parts, 3);
  });
});

describe('over a socket', () => {
  test('a urlencoded body is not gathered because files may be large', async () => {
    await using server = await FormServer.start(
      async (request) => new web.Response({ text: String((await request.post()).size) }),
      { clientMaxSize: 1_000_000_000 },
    );
    const pieces = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(Buffer.alloc(65_536, 'a')),
    });
    const response = await server.fetch({
      body: pieces,
      headers: { 'Content-Type': URLENCODED },
      duplex: 'half',
    } as RequestInit);
    assert.equal(response.status, 413);
    await response.text();
  });

  test('clientMaxSize is 1 MiB, enforced while the body comes', async () => {
    await using server = await FormServer.start(async (request) => {
      const taken = await request.post();
      return web.jsonResponse(
        [...taken].map(([name, value]) => [name, typeof value === 'string' ? value.length : value.size]),
      );
    });
    const empty = form(formPart('a', '')).length;
    for (const [size, status] of [
      [1_048_576 - empty, 200],
      [1_048_577 - empty, 413],
    ] as const) {
      const answer = await server.post(form(formPart('a', 'x'.repeat(size))));
      assert.equal(answer.status, status);
      if (status === 200) assert.deepEqual(await answer.json(), [['a', size]]);
      else assert.equal(await answer.text(), 'Maximum request body size 1048576 exceeded.');
    }
    // Chunked: no Content-Length tells beforehand.
    async function* endless(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n');
      for (let sent = 0; sent < 100; sent++) yield Buffer.alloc(65_536, 'x');
    }
    const init = {
      body: endless(),
      duplex: 'half',
      headers: { 'Content-Type': MULTIPART },
    } as unknown as RequestInit;
    // The client may see the connection end before it has read the answer.
    const status = await server.fetch(init).then(
      (answer) => answer.status,
      () => 413,
    );
    assert.equal(status, 413);
  });

  test('errors tell the client what is wrong, not what it sent', async () => {
    await using server = await FormServer.start(async (request) => {
      await request.post();
      return new web.Response();
    });
    const answer = await server.post(form('--b\r\n<script>\r\n\r\nx\r\n'));
    assert.equal(answer.status, 400);
    assert.equal(await answer.text(), 'The header lines of a part are malformed.');
  });

  test('request.multipart() after request.post() tells the programmer, not the client', async () => {
    const mixed = request(form(formPart('a', 'x')), MULTIPART);
    await mixed.post();
    await assert.rejects(mixed.multipart(), { code: 'AIO_REQUEST_ALREADY_READ' });
  });

  test('the parts cannot be read twice as they come, and the client is not told that it sent nonsense', async () => {
    for (const again of [
      (request: web.Request) => request.post(),
      (request: web.Request) => request.multipart(),
    ]) {
      const twice = request(form(formPart('a', 'x')), MULTIPART);
      await (await twice.multipart()).next();
      await assert.rejects(again(twice), { code: 'AIO_REQUEST_ALREADY_READ' });
    }
    const kept = request(form(formPart('a', 'x')), MULTIPART);
    await kept.read();
    await (await kept.multipart()).next();
    assert.equal((await kept.post()).get('a'), 'x');
  });

  test('request.multipart() reads while the body comes; its errors are 400 and 413', async () => {
    await using server = await FormServer.start(
      async (request) => {
        const sizes: [string | undefined, number][] = [];
        for await (const part of await request.multipart({ maxParts: 3 })) {
          assert.ok(part instanceof web.BodyPartReader);
          if (part.filename === undefined) sizes.push([part.name, (await part.text()).length]);
          else {
            let size = 0;
            for await (const piece of part) size += piece.length;
            sizes.push([part.name, size]);
          }
        }
        return web.jsonResponse(sizes);
      },
      { clientMaxSize: 1000 },
    );
    const big = formPart('f', 'x'.repeat(3_000_000), 'f.bin');
    const answer = await server.post(form(formPart('a', 'x'.repeat(1000)), big));
    assert.deepEqual(await answer.json(), [
      ['a', 1000],
      ['f', 3_000_000],
    ]);
    const statuses: [body: string, status: number, type?: string][] = [
      [form(formPart('a', 'x'.repeat(1001))), 413],
      [form(...Array.from({ length: 4 }, () => formPart('a', 'x'))), 413],
      [formPart('a', 'x'), 400],
      [form(formPart('a', '\xe9')), 400],
      ['x', 400, 'text/plain'],
      ['x', 400, 'multipart/form-data'],
    ];
    for (const [body, status, type] of statuses) assert.equal((await server.post(body, type)).status, status);
  });

  test('a compressed form is not taken for a form (CVE-2025-69223)', async () => {
    await using server = await FormServer.start(async (request) => {
      await request.post();
      return new web.Response();
    });
    const answer = await server.fetch({
      body: gzipSync(form(formPart('a', 'x'.repeat(10_000_000)))),
      headers: { 'Content-Type': MULTIPART, 'Content-Encoding': 'gzip' },
    });
    assert.equal(answer.status, 400);
  });
});
