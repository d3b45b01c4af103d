// The JSON API. README.md documents it; errors of all of its paths have one shape, see errors.ts.

import { checkAuthorized } from 'aiohttp-ts/security';
import * as web from 'aiohttp-ts/web';
import { logIn } from './accounts.ts';
import {
  createNote,
  createToken,
  DB,
  deleteNote,
  listNotes,
  type Note,
  type User,
  updateNote,
} from './db.ts';
import { InvalidInput } from './errors.ts';
import { checkNote, type NoteInput, pageOf } from './input.ts';
import { noteOf, ownNoteOf } from './views.ts';

export const api: web.RouteTableDef = new web.RouteTableDef();

api.get(
  '/api/notes',
  async (request) => {
    const { notes, total, page, pages } = await listNotes(request.configDict.get(DB), pageOf(request));
    return web.jsonResponse({ notes: notes.map(jsonOf), total, page, pages });
  },
  { name: 'api-notes' },
);

api.post('/api/notes', async (request) => {
  const user = await checkAuthorized<User>(request);
  const { title, body } = await noteInputOf(request);
  const note = await createNote(request.configDict.get(DB), user, title, body);
  return web.jsonResponse(jsonOf(note), { status: 201, headers: { Location: `/api/notes/${note.id}` } });
});

api.get('/api/notes/{id}', async (request) => web.jsonResponse(jsonOf(await noteOf(request))));

api.put('/api/notes/{id}', async (request) => {
  const note = await ownNoteOf(request);
  const { title, body } = await noteInputOf(request);
  return web.jsonResponse(jsonOf(await updateNote(request.configDict.get(DB), note, title, body)));
});

api.delete('/api/notes/{id}', async (request) => {
  const note = await ownNoteOf(request);
  await deleteNote(request.configDict.get(DB), note.id);
  return new web.Response({ status: 204 });
});

api.post('/api/token', async (request) => {
  const { name, password } = await objectOf(request);
  if (typeof name !== 'string' || typeof password !== 'string') {
    throw new InvalidInput({ name: 'A name and a password are needed.' });
  }
  const user = await logIn(request, name, password);
  if (user === undefined) {
    throw new web.HTTPForbidden({ text: 'Name and password do not belong together.' });
  }
  const token = await createToken(request.configDict.get(DB), user);
  return web.jsonResponse({ token }, { status: 201, headers: { 'Cache-Control': 'no-store' } });
});

function jsonOf(note: Note): object {
  const { id, title, body, owner_name: owner, created_at: created, updated_at: updated } = note;
  return {
    id,
    title,
    body,
    owner,
    created: new Date(created).toISOString(),
    updated: new Date(updated).toISOString(),
  };
}

async function objectOf(request: web.Request): Promise<Readonly<Record<string, unknown>>> {
  if (request.contentType !== 'application/json') {
    throw new web.HTTPUnsupportedMediaType({ text: 'Send JSON, with Content-Type: application/json.' });
  }
  const value = await request.json();
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>;
  throw new web.HTTPBadRequest({ text: 'The JSON must be an object.' });
}

async function noteInputOf(request: web.Request): Promise<NoteInput> {
  const { values, problems } = checkNote(await objectOf(request));
  if (problems !== undefined) throw new InvalidInput(problems);
  return values;
}
