// Register, log in, log out; sessions and tokens of a user.

import * as jinja2 from 'aiohttp-ts/jinja2';
import {
  forget,
  hashPassword,
  loginRequired,
  needsRehash,
  remember,
  verifyPassword,
} from 'aiohttp-ts/security';
import { flash, getSession, storageOf } from 'aiohttp-ts/session';
import * as web from 'aiohttp-ts/web';
import { createToken, createUser, DB, findUserByName, setPasswordHash, type User } from './db.ts';
import { checkAccount, formOf } from './input.ts';

export const accounts: web.RouteTableDef = new web.RouteTableDef();

const twoWeeks = 14 * 86_400_000;

accounts.get(
  '/register',
  jinja2.template('register.html', () => ({ values: {}, problems: {} })),
  { name: 'register' },
);

accounts.post('/register', async (request) => {
  const { values, problems } = checkAccount(await formOf(request));
  const again = (wrong: object): Promise<web.Response> =>
    jinja2.renderTemplateAsync(
      'register.html',
      request,
      { values: { name: values.name }, problems: wrong },
      { status: 422 },
    );
  if (problems !== undefined) return again(problems);
  // Before the transaction begins: nobody waits for the database while this takes its time.
  const passwordHash = await hashPassword(values.password);
  const user = await createUser(request.configDict.get(DB), values.name, passwordHash);
  if (user === undefined) return again({ name: 'This name is taken.' });
  const answer = new web.HTTPSeeOther('/');
  await remember(request, answer, user.id);
  await flash(request, `Welcome, ${user.name}.`, 'success');
  return answer;
});

accounts.get(
  '/login',
  jinja2.template('login.html', (request) => ({ next: localPath(request.query.get('next')), values: {} })),
  { name: 'login' },
);

accounts.post('/login', async (request) => {
  const form = await formOf(request);
  const next = localPath(form['next']);
  const user = await logIn(request, form['name'] ?? '', form['password'] ?? '');
  if (user === undefined) {
    const context = {
      next,
      values: { name: form['name'] },
      problem: 'Name and password do not belong together.',
    };
    return jinja2.renderTemplateAsync('login.html', request, context, { status: 422 });
  }
  const answer = new web.HTTPSeeOther(next);
  await remember(request, answer, user.id, { maxAge: form['remember'] === 'yes' ? twoWeeks : undefined });
  await flash(request, `Welcome back, ${user.name}.`, 'success');
  return answer;
});

/** The user of this name and password. It takes as long for a name that does not exist. */
export async function logIn(request: web.Request, name: string, password: string): Promise<User | undefined> {
  const db = request.configDict.get(DB);
  const user = await findUserByName(db, name);
  if (!(await verifyPassword(password, user?.password_hash)) || user === undefined) return undefined;
  if (needsRehash(user.password_hash)) await setPasswordHash(db, user.id, await hashPassword(password));
  return { id: user.id, name: user.name };
}

accounts.post(
  '/logout',
  async (request) => {
    const answer = new web.HTTPSeeOther('/');
    await forget(request, answer);
    return answer;
  },
  { name: 'logout' },
);

accounts.get(
  '/account',
  loginRequired((request, user: User) => accountPage(request, user)),
  { name: 'account' },
);

accounts.post(
  '/account/logout-others',
  loginRequired(async (request, user: User) => {
    const storage = storageOf(request);
    if (storage.kind === 'server') await storage.revokeAll(user.id, (await getSession(request)).key);
    await flash(request, 'You are logged out everywhere else.', 'success');
    return new web.HTTPSeeOther('/account');
  }),
  { name: 'logout-others' },
);

accounts.post(
  '/account/token',
  loginRequired(async (request, user: User) =>
    accountPage(request, user, await createToken(request.configDict.get(DB), user)),
  ),
  { name: 'new-token' },
);

async function accountPage(request: web.Request, user: User, token?: string): Promise<web.Response> {
  const storage = storageOf(request);
  const { key } = await getSession(request);
  const sessions = storage.kind === 'server' ? await storage.sessionsOf(user.id) : [];
  const context = {
    token,
    origin: request.url.origin,
    sessions: sessions
      .map((one) => ({ since: one.created, this: one.key === key }))
      .sort((a, b) => b.since - a.since),
    user,
  };
  const response = await jinja2.renderTemplateAsync('account.html', request, context);
  response.headers.set('Cache-Control', 'no-store');
  return response;
}

/** A path of this site; `/` for anything that could lead elsewhere (`//evil.example`, `/\evil.example`). */
function localPath(path: unknown): string {
  return typeof path === 'string' && /^\/(?![/\\])[\x21-\x7e]*$/.test(path) ? path : '/';
}
