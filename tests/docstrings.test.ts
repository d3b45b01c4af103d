// The examples in the comments of src/ compile. One that has imports is a module as it stands. Another may use the exports of its
// file, the package's namespaces, and the names below, which stand for an application's own things.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { type Block, CompiledBlocks, root } from './compiled-blocks.ts';

const packageNames: Readonly<Record<string, string>> = {
  web: "import * as web from 'aiohttp-ts/web';",
  asyncio: "import * as asyncio from 'aiohttp-ts/asyncio';",
  assert: "import assert from 'node:assert/strict';",
  TestServer: "import { TestServer } from 'aiohttp-ts/testing';",
  RawTestServer: "import { RawTestServer } from 'aiohttp-ts/testing';",
  testRequest: "import { testRequest } from 'aiohttp-ts/testing';",
};

const applicationNames: Readonly<Record<string, string>> = {
  app: 'declare const app: import("aiohttp-ts/web").Application;',
  request: 'declare const request: import("aiohttp-ts/web").Request;',
  response: 'declare const response: import("aiohttp-ts/web").Response;',
  runner: 'declare const runner: import("aiohttp-ts/web").AppRunner;',
  makeApp: 'declare function makeApp(): import("aiohttp-ts/web").Application;',
  Database: 'interface Database { all(sql: string): Promise<object[]>; close(): Promise<void> }',
  DB: 'declare const DB: import("aiohttp-ts/web").AppKey<{ all(sql: string): Promise<object[]>; close(): Promise<void> }>;',
  openDatabase:
    'declare function openDatabase(): Promise<{ all(sql: string): Promise<object[]>; close(): Promise<void> }>;',
  db: 'declare const db: { all(sql: string): Promise<object[]>; close(): Promise<void> };',
  site: 'declare const site: import("aiohttp-ts/web").TCPSite;',
  handler: 'declare const handler: import("aiohttp-ts/web").Handler;',
  login: 'declare const login: import("aiohttp-ts/web").Handler;',
  list: 'declare const list: import("aiohttp-ts/web").Handler;',
  listUsers: 'declare const listUsers: import("aiohttp-ts/web").Handler;',
  showUser: 'declare const showUser: import("aiohttp-ts/web").Handler;',
  timing: 'declare const timing: import("aiohttp-ts/web").Middleware;',
  authentication: 'declare const authentication: import("aiohttp-ts/web").Middleware;',
  user: 'declare const user: { readonly name: string } | undefined;',
  upstream: 'declare const upstream: string;',
  clientAddress: 'declare const clientAddress: string;',
  hash: 'declare const hash: import("node:crypto").Hash;',
};

const files: ReadonlyMap<string, string> = new Map(
  readdirSync(path.join(root, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => path.posix.join('src', ...name.split(path.sep)))
    .sort()
    .map((name) => [name, readFileSync(path.join(root, name), 'utf8')]),
);

const examples = [...files].flatMap(([document, text]) => examplesOf(document, text));

function examplesOf(document: string, text: string): Block[] {
  return [...text.matchAll(/^ *\* ```ts\n((?: *\*.*\n)*?) *\* ```$/gm)].map((match) => {
    const code = match[1]!.replaceAll(/^ *\* ?/gm, '');
    return {
      document,
      line: text.slice(0, match.index).split('\n').length + 1,
      source: /^import /m.test(code) ? `${code}\nexport {};\n` : inContext(code, document),
    };
  });
}

/** Lines keep their numbers: what is added stands behind the example, where it is hoisted from. */
function inContext(code: string, document: string): string {
  const declared = (name: string): boolean =>
    new RegExp(`\\b(?:const|let|function\\*?|class|interface|type)\\s+${name}\\b`).test(code);
  const used = (name: string): boolean => new RegExp(`(?<![.\\w'"])${name}\\b`).test(code) && !declared(name);
  const exported = exportsOfRoom(document);
  const own = [...exported]
    .filter(([name]) => used(name))
    .map(
      ([name, file]) => `import { ${name} } from '${file.replace(/^src\/(.*)\.ts$/, '../../dist/$1.js')}';`,
    );
  const given = Object.entries({ ...packageNames, ...applicationNames })
    .filter(([name]) => used(name) && !exported.has(name))
    .map(([, declaration]) => declaration);
  return `export async function example() {${code}\n}\n${[...own, ...given].join('\n')}\n`;
}

/** What the files beside `document` export, and where. */
function exportsOfRoom(document: string): ReadonlyMap<string, string> {
  const pattern = /^export (?:async |abstract )?(?:function\*?|class|const|interface|type) (\w+)/gm;
  return new Map(
    [...files]
      .filter(([name]) => path.posix.dirname(name) === path.posix.dirname(document))
      .flatMap(([name, text]) =>
        [...text.matchAll(pattern)].map(([, exported]) => [exported!, name] as const),
      ),
  );
}

describe('the examples in comments', () => {
  const compiled = new CompiledBlocks('docstrings', examples);
  after(() => compiled.remove());

  test(`all ${examples.length} of them compile`, () => {
    assert.equal(compiled.complaints(), '');
  });
});
