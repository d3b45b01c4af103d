import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as jinja2 from '../../src/jinja2/index.ts';
import * as session from '../../src/session/index.ts';
import * as web from '../../src/web/index.ts';
import { Visitor } from './visitor.ts';

function site(): { app: web.Application; visitor: Visitor } {
  const app = new web.Application();
  session.setup(app, new session.MemoryStorage());
  const templates = {
    'page.html':
      '{% for f in get_flashed_messages() %}[{{ f.category }}: {{ f.message }}]{% endfor %} {{ session.name or "stranger" }}',
    'other.html': 'no messages here',
  };
  jinja2.setup(app, {
    loader: new jinja2.DictLoader(templates),
    contextProcessors: [session.sessionProcessor],
  });
  app.router.addGet('/flash', async (request) => {
    const { message = '', category } = Object.fromEntries(request.query);
    await session.flash(request, message, category);
    throw new web.HTTPSeeOther('/list');
  });
  app.router.addGet('/list', async (request) => {
    const twice = [await session.getFlashes(request), await session.getFlashes(request)];
    assert.equal(twice[0], twice[1]);
    return web.jsonResponse(twice[0]);
  });
  app.router.addGet('/page', (request) => jinja2.renderTemplate('page.html', request, {}));
  app.router.addGet('/other', (request) => jinja2.renderTemplate('other.html', request, {}));
  app.router.addGet('/name', async (request) => {
    (await session.getSession(request)).set('name', 'ann');
    return new web.Response();
  });
  return { app, visitor: new Visitor(app) };
}

describe('flash messages', () => {
  test('are shown once, by the next page', async () => {
    const { visitor } = site();
    assert.equal((await visitor.get('/flash?message=saved&category=success')).status, 303);
    await visitor.get('/flash?message=hello');
    assert.deepEqual(JSON.parse((await visitor.get('/list')).text), [
      { message: 'saved', category: 'success' },
      { message: 'hello', category: 'message' },
    ]);
    assert.equal((await visitor.get('/list')).text, '[]');
  });

  test('are bounded', async () => {
    const { visitor } = site();
    for (let count = 0; count < 30; count++) await visitor.get(`/flash?message=${count}`);
    const messages = JSON.parse((await visitor.get('/list')).text) as session.Flash[];
    assert.deepEqual(
      messages.map(({ message }) => Number(message)),
      Array.from({ length: 20 }, (_, index) => index + 10),
    );
  });

  test('are escaped by templates, and stay when a page does not show them', async () => {
    const { visitor } = site();
    await visitor.get('/flash?message=%3Cb%3E&category=error');
    assert.equal((await visitor.get('/other')).text, 'no messages here');
    assert.equal((await visitor.get('/page')).text, '[error: &lt;b&gt;] stranger');
    await visitor.get('/name');
    assert.equal((await visitor.get('/page')).text, ' ann');
  });

  test('of a visitor without a session leave nothing', async () => {
    const { visitor } = site();
    const { text, setCookies } = await visitor.get('/page');
    assert.deepEqual([text, setCookies], [' stranger', []]);
  });
});
