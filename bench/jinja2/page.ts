/**
 * CPU of a 50-row page (layout and block, 5 cells a row, autoescape, a chain of filters), compiled and cached, against
 * nunjucks and eta. They are not dependencies: `PEERS=/folder/with/node_modules npx tsx bench/jinja2/page.ts`.
 */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { DictLoader, Environment } from '../../src/jinja2/index.ts';

const layout =
  '<!doctype html><title>{% block title %}{% endblock %}</title><main>{% block body %}{% endblock %}</main>';
const cells = ['id', 'name|trim|upper', 'email', 'city|default("none")', 'note'];
const row = cells.map((cell) => `<td>{{ row.${cell} }}</td>`).join('');
const page = `{% extends "layout.html" %}{% block title %}{{ title }}{% endblock %}{% block body %}<table>{% for row in rows %}<tr>${row}</tr>{% endfor %}</table>{% endblock %}`;

const rows = Array.from({ length: 50 }, (_, i) => ({
  id: i,
  name: ` user ${i} `,
  email: `user${i}@example.org`,
  city: i % 3 === 0 ? undefined : 'Kyiv',
  note: i % 5 === 0 ? 'a <b> & "c"' : 'nothing special here',
}));
const variables = { title: 'Users', rows };

const environment = new Environment({
  loader: new DictLoader({ 'layout.html': layout, 'page.html': page }),
  autoReload: false,
});
const engines: Record<string, () => unknown> = {
  ours: () => environment.getTemplate('page.html').render(variables),
};

const peers = process.env['PEERS'];
if (peers === undefined) console.log('PEERS is not set: only our own figures');
else {
  const require = createRequire(join(peers, 'index.js'));
  const nunjucks = require('nunjucks');
  const templates: Record<string, string> = { 'layout.html': layout, 'page.html': page };
  const loader = new (nunjucks.Loader.extend({
    getSource: (name: string) => ({ src: templates[name], path: name, noCache: false }),
  }))();
  const other = new nunjucks.Environment(loader, { autoescape: true });
  engines['nunjucks'] = () => other.render('page.html', variables);
  const { Eta } = require('eta');
  const eta = new Eta({ autoEscape: true, cache: true });
  eta.loadTemplate('@layout', '<!doctype html><title><%= it.title %></title><main><%~ it.body %></main>');
  eta.loadTemplate(
    '@page',
    '<% layout("@layout", { title: it.title }) %><table><% for (const row of it.rows) { %><tr><td><%= row.id %></td><td><%= row.name.trim().toUpperCase() %></td><td><%= row.email %></td><td><%= row.city ?? "none" %></td><td><%= row.note %></td></tr><% } %></table>',
  );
  engines['eta'] = () => eta.render('@page', variables);
}

const rounds = 9;
const best: Record<string, number> = {};
for (const render of Object.values(engines)) for (let i = 0; i < 3_000; i++) render();
for (let round = 0; round < rounds; round++) {
  for (const [name, render] of Object.entries(engines)) {
    const before = process.cpuUsage();
    for (let i = 0; i < 1_500; i++) render();
    const { user, system } = process.cpuUsage(before);
    best[name] = Math.min(best[name] ?? Number.POSITIVE_INFINITY, (user + system) / 1_500);
  }
}
for (const [name, cpu] of Object.entries(best)) {
  console.log(
    `${name.padEnd(10)} ${cpu.toFixed(1)} µs of CPU a page, ${(cpu / (best['ours'] as number)).toFixed(2)} × ours`,
  );
}
