// What the site keeps: users, notes and tokens. The same statements run on sqlite and PostgreSQL; those of one request belong to its
// transaction, which the middleware in app.ts commits before the answer is sent.

import { createHash, randomBytes } from 'node:crypto';
import { type Database, IntegrityError, sql } from 'aiohttp-ts/sql';
import * as web from 'aiohttp-ts/web';

export const DB: web.AppKey<Database> = new web.AppKey<Database>('notes database');

export interface User {
  readonly id: string;
  readonly name: string;
}

export interface Note {
  readonly id: string;
  readonly owner_id: string;
  readonly owner_name: string;
  readonly title: string;
  readonly body: string;
  /** Milliseconds since 1970, as all times. */
  readonly created_at: number;
  readonly updated_at: number;
}

/** One page of the notes, newest first. */
export interface NoteList {
  readonly notes: readonly Note[];
  readonly total: number;
  readonly page: number;
  readonly pages: number;
}

const perPage = 10;

/** Ids that nobody can count through. */
function newId(): string {
  return randomBytes(9).toString('base64url');
}

/** "Ada", "ada" and "ＡＤＡ" are one name. */
function keyOfName(name: string): string {
  return name.normalize('NFKC').toLowerCase();
}

/** The new user; `undefined` when the name is taken. */
export async function createUser(
  db: Database,
  name: string,
  passwordHash: string,
): Promise<User | undefined> {
  const id = newId();
  try {
    // In a savepoint: on PostgreSQL a statement that fails spoils the transaction around it, and the page that tells of it asks who is logged in.
    await db.transaction((tx) =>
      tx.execute(
        sql`INSERT INTO users (id, name, name_key, password_hash, created_at)
          VALUES (${id}, ${name}, ${keyOfName(name)}, ${passwordHash}, ${Date.now()})`,
      ),
    );
  } catch (error) {
    if (error instanceof IntegrityError) return undefined;
    throw error;
  }
  return { id, name };
}

export async function findUser(db: Database, id: string): Promise<User | undefined> {
  return db.fetchone<User>(sql`SELECT id, name FROM users WHERE id = ${id}`);
}

export async function findUserByName(
  db: Database,
  name: string,
): Promise<(User & { readonly password_hash: string }) | undefined> {
  return db.fetchone(sql`SELECT id, name, password_hash FROM users WHERE name_key = ${keyOfName(name)}`);
}

export async function setPasswordHash(db: Database, userId: string, passwordHash: string): Promise<void> {
  await db.execute(sql`UPDATE users SET password_hash = ${passwordHash} WHERE id = ${userId}`);
}

const columns = sql`notes.id, notes.owner_id, users.name AS owner_name, notes.title, notes.body, notes.created_at, notes.updated_at`;

/** A page beyond the last one is the last one. */
export async function listNotes(db: Database, page: number): Promise<NoteList> {
  const { total } = (await db.fetchone<{ total: number }>(sql`SELECT count(*) AS total FROM notes`)) ?? {
    total: 0,
  };
  const pages = Math.max(1, Math.ceil(total / perPage));
  const shown = Math.min(Math.max(1, page), pages);
  const notes = await db.fetchall<Note>(
    sql`SELECT ${columns} FROM notes JOIN users ON users.id = notes.owner_id
      ORDER BY notes.created_at DESC, notes.id LIMIT ${perPage} OFFSET ${(shown - 1) * perPage}`,
  );
  return { notes, total, page: shown, pages };
}

export async function findNote(db: Database, id: string): Promise<Note | undefined> {
  return db.fetchone<Note>(
    sql`SELECT ${columns} FROM notes JOIN users ON users.id = notes.owner_id WHERE notes.id = ${id}`,
  );
}

export async function createNote(db: Database, owner: User, title: string, body: string): Promise<Note> {
  const id = newId();
  const now = Date.now();
  await db.execute(
    sql`INSERT INTO notes (id, owner_id, title, body, created_at, updated_at)
      VALUES (${id}, ${owner.id}, ${title}, ${body}, ${now}, ${now})`,
  );
  return { id, owner_id: owner.id, owner_name: owner.name, title, body, created_at: now, updated_at: now };
}

export async function updateNote(db: Database, note: Note, title: string, body: string): Promise<Note> {
  const now = Date.now();
  await db.execute(
    sql`UPDATE notes SET title = ${title}, body = ${body}, updated_at = ${now} WHERE id = ${note.id}`,
  );
  return { ...note, title, body, updated_at: now };
}

export async function deleteNote(db: Database, id: string): Promise<void> {
  await db.execute(sql`DELETE FROM notes WHERE id = ${id}`);
}

/** A token is 256 random bits, so a plain hash is enough: there is nothing to guess. */
function hashOfToken(token: string): string {
  return createHash('sha256').update(token).digest('base64url');
}

/** A new token for programs of this user, in place of the one before. */
export async function createToken(db: Database, user: User): Promise<string> {
  const token = `notes_${randomBytes(32).toString('base64url')}`;
  await db.execute(
    sql`INSERT INTO tokens (user_id, token_hash, created_at) VALUES (${user.id}, ${hashOfToken(token)}, ${Date.now()})
      ON CONFLICT (user_id) DO UPDATE SET token_hash = excluded.token_hash, created_at = excluded.created_at`,
  );
  return token;
}

export async function userIdOfToken(db: Database, token: string): Promise<string | undefined> {
  const row = await db.fetchone<{ user_id: string }>(
    sql`SELECT user_id FROM tokens WHERE token_hash = ${hashOfToken(token)}`,
  );
  return row?.user_id;
}
