import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RunningExample } from './running-example.ts';

const greetings: readonly (readonly [path: string, greeting: string])[] = [
  ['/you', 'Hello you.'],
  ['/J%C3%BCrgen', 'Hello Jürgen.'],
  ['/%E4%BD%A0%E5%A5%BD%20%F0%9F%8C%B0', 'Hello 你好 🌰.'],
  ['/%3Cscript%3Ealert(1)%3C%2Fscript%3E', 'Hello &lt;script&gt;alert(1)&lt;/script&gt;.'],
  ['/%22%20onload=%27x%27&amp;', 'Hello &#34; onload=&#39;x&#39;&amp;amp;.'],
  ['/7%20*%207', 'Hello 7 * 7.'],
];

test('seed/template greets by a page', async () => {
  const example = await RunningExample.start('examples/seed/template.ts');
  try {
    const response = await example.fetch('/you');
    assert.equal(response.status, 200);
    assert.equal(response.headers.get('content-type'), 'text/html; charset=utf-8');
    const page = (await response.text()).replace(
      /Date now: [A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4}</,
      'Date now: TIME<',
    );
    assert.equal(
      page,
      '<html>\n  <head>\n    <title>aiohttp page</title>\n  </head>\n  <body>\n    <div>\n' +
        '      <h1><a href="/">My aiohttp server</a></h1>\n    </div>\n\n    <div>\n' +
        '      <p>Date now: TIME</p>\n      <p>Hello you.</p>\n    </div>\n  </body>\n</html>',
    );
    for (const [path, greeting] of greetings) {
      const text = await (await example.fetch(path)).text();
      assert.equal(/<p>(Hello .*)<\/p>/.exec(text)?.[1], greeting, path);
    }
    assert.equal((await example.fetch('/')).status, 404);
  } finally {
    assert.equal(await example.stop(), 0, example.stderr);
  }
});
