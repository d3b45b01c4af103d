// One page, written for each engine: layout and block, five cells a row, autoescape, filters. Engines differ in how they write
// references (&#34; or &quot;), which run.ts evens out before it compares their pages.

import { DictLoader, Environment } from 'aiohttp-ts/jinja2';
import { Edge } from 'edge.js';
import { Eta } from 'eta';
import nunjucks from 'nunjucks';
import vento from 'ventojs';
import { MemoryLoader } from 'ventojs/loaders/memory.js';

export interface Row {
  readonly id: number;
  readonly name: string;
  readonly email: string;
  readonly city: string | undefined;
  readonly note: string;
}

export interface Variables {
  readonly title: string;
  readonly rows: readonly Row[];
}

/** Renders the page once, from a template that is compiled already. */
export type Render = (variables: Variables) => string | Promise<string>;

/** The page's variables: `count` rows. */
export function pageVariables(count: number): Variables {
  const rows = Array.from({ length: count }, (_, i) => ({
    // From 1 on: vento prints nothing for 0.
    id: i + 1,
    name: ` user ${i} `,
    email: `user${i}@example.org`,
    city: i % 3 === 0 ? undefined : 'Kyiv',
    note: i % 5 === 0 ? 'a <b> & "c"' : 'nothing special here',
  }));
  return { title: 'Users', rows };
}

const layoutStart = '<!doctype html><title>';
const layoutMiddle = '</title><main>';
const layoutEnd = '</main>';

// Jinja2 and nunjucks share this one.
const jinjaTemplates: Readonly<Record<string, string>> = {
  'layout.html': `${layoutStart}{% block title %}{% endblock %}${layoutMiddle}{% block body %}{% endblock %}${layoutEnd}`,
  'page.html':
    '{% extends "layout.html" %}{% block title %}{{ title }}{% endblock %}{% block body %}<table>{% for row in rows %}' +
    '<tr><td>{{ row.id }}</td><td>{{ row.name|trim|upper }}</td><td>{{ row.email }}</td><td>{{ row.city|default("none") }}</td>' +
    '<td>{{ row.note }}</td></tr>{% endfor %}</table>{% endblock %}',
};

function ours(): Render {
  const environment = new Environment({ loader: new DictLoader(jinjaTemplates), autoReload: false });
  return (variables) => environment.getTemplate('page.html').render(variables);
}

function nunjucksPage(): Render {
  const loader = {
    getSource: (name: string) => ({ src: jinjaTemplates[name]!, path: name, noCache: false }),
  };
  const environment = new nunjucks.Environment(loader, { autoescape: true });
  return (variables) => environment.render('page.html', variables);
}

function eta(): Render {
  const engine = new Eta({ autoEscape: true, cache: true });
  engine.loadTemplate('@layout', `${layoutStart}<%= it.title %>${layoutMiddle}<%~ it.body %>${layoutEnd}`);
  engine.loadTemplate(
    '@page',
    '<% layout("@layout", { title: it.title }) %><table><% for (const row of it.rows) { %>' +
      '<tr><td><%= row.id %></td><td><%= row.name.trim().toUpperCase() %></td><td><%= row.email %></td>' +
      '<td><%= row.city ?? "none" %></td><td><%= row.note %></td></tr><% } %></table>',
  );
  return (variables) => engine.render('@page', variables);
}

function ventoPage(): Render {
  const loader = new MemoryLoader({
    '/layout.vto': `${layoutStart}{{ title }}${layoutMiddle}{{ content |> safe }}${layoutEnd}`,
    '/page.vto':
      '{{ layout "/layout.vto" { title } }}<table>{{ for row of rows }}' +
      '<tr><td>{{ row.id }}</td><td>{{ row.name.trim().toUpperCase() }}</td><td>{{ row.email }}</td>' +
      '<td>{{ row.city ?? "none" }}</td><td>{{ row.note }}</td></tr>{{ /for }}</table>{{ /layout }}',
  });
  const engine = vento({ includes: loader, autoescape: true });
  return async (variables) => (await engine.run('/page.vto', { ...variables })).content;
}

function edge(): Render {
  const engine = Edge.create({ cache: true });
  engine.registerTemplate('layout', {
    template: `${layoutStart}{{ title }}${layoutMiddle}{{{ await $slots.main() }}}${layoutEnd}`,
  });
  engine.registerTemplate('page', {
    template:
      "@component('layout', { title })\n<table>\n@each(row in rows)\n" +
      "<tr><td>{{ row.id }}</td><td>{{ row.name.trim().toUpperCase() }}</td><td>{{ row.email }}</td><td>{{ row.city ?? 'none' }}</td>" +
      '<td>{{ row.note }}</td></tr>\n@end\n</table>\n@end',
  });
  return (variables) => engine.render('page', { ...variables });
}

/** The engines, ours first. */
export function engines(): ReadonlyMap<string, Render> {
  return new Map([
    ['aiohttp-ts', ours()],
    ['eta', eta()],
    ['vento', ventoPage()],
    ['edge', edge()],
    ['nunjucks', nunjucksPage()],
  ]);
}
