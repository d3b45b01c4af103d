// The pages with notes.

import * as jinja2 from 'aiohttp-ts/jinja2';
import { checkPermission, loginRequired, permits } from 'aiohttp-ts/security';
import { flash, getSession } from 'aiohttp-ts/session';
import * as web from 'aiohttp-ts/web';
import { createNote, DB, deleteNote, findNote, listNotes, type Note, type User, updateNote } from './db.ts';
import { checkNote, formOf, type NoteInput, type Problems, pageOf } from './input.ts';

export const views: web.RouteTableDef = new web.RouteTableDef();

interface Visits {
  readonly lastVisit?: number;
}

views.get(
  '/',
  jinja2.template('home.html', async (request) => {
    const list = await listNotes(request.configDict.get(DB), pageOf(request));
    const session = await getSession<Visits>(request);
    const lastVisit = session.get('lastVisit');
    session.set('lastVisit', Date.now());
    return { list, last_visit: lastVisit };
  }),
  { name: 'home' },
);

views.get(
  '/notes/new',
  loginRequired((request) => editor(request, 'New note', '/')),
  { name: 'new-note' },
);

views.post(
  '/notes/new',
  loginRequired(async (request, user: User) => {
    const { values, problems } = checkNote(await formOf(request));
    if (problems !== undefined) return editor(request, 'New note', '/', values, problems);
    const note = await createNote(request.configDict.get(DB), user, values.title, values.body);
    await flash(request, 'Your note is there.', 'success');
    return new web.HTTPSeeOther(urlOf(request, note));
  }),
);

views.get(
  '/notes/{id}',
  jinja2.template('note.html', async (request) => {
    const note = await noteOf(request);
    return { note, may_edit: await permits(request, 'edit', note) };
  }),
  { name: 'note' },
);

views.get(
  '/notes/{id}/edit',
  async (request) => {
    const note = await ownNoteOf(request);
    return editor(request, 'Edit note', urlOf(request, note), note);
  },
  { name: 'edit-note' },
);

views.post('/notes/{id}/edit', async (request) => {
  const note = await ownNoteOf(request);
  const { values, problems } = checkNote(await formOf(request));
  if (problems !== undefined) return editor(request, 'Edit note', urlOf(request, note), values, problems);
  await updateNote(request.configDict.get(DB), note, values.title, values.body);
  await flash(request, 'Your note was changed.', 'success');
  return new web.HTTPSeeOther(urlOf(request, note));
});

views.post(
  '/notes/{id}/delete',
  async (request) => {
    const note = await ownNoteOf(request);
    await deleteNote(request.configDict.get(DB), note.id);
    await flash(request, `“${note.title}” was deleted.`);
    return new web.HTTPSeeOther('/');
  },
  { name: 'delete-note' },
);

/** The note that the path names. */
export async function noteOf(request: web.Request): Promise<Note> {
  const note = await findNote(request.configDict.get(DB), request.matchInfo['id'] ?? '');
  if (note === undefined) throw new web.HTTPNotFound({ text: 'There is no such note.' });
  return note;
}

/** The same for those who may change it. */
export async function ownNoteOf(request: web.Request): Promise<Note> {
  const note = await noteOf(request);
  await checkPermission(request, 'edit', note);
  return note;
}

function urlOf(request: web.Request, note: Note): string {
  return String(request.app.router.get('note')?.urlFor({ id: note.id }));
}

function editor(
  request: web.Request,
  heading: string,
  cancel: string,
  values: NoteInput = { title: '', body: '' },
  problems?: Problems,
): Promise<web.Response> {
  const context = { heading, cancel, values, problems: problems ?? {} };
  return jinja2.renderTemplateAsync('edit.html', request, context, {
    status: problems === undefined ? 200 : 422,
  });
}
