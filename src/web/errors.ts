/**
 * Something was done to an application, list, runner or site in a state that does not allow it. aiohttp raises a bare `RuntimeError`.
 *
 * @example
 * ```ts
 * app.freeze();
 * app.set('db', db); // StateError, code AIO_APP_STATE
 * ```
 */
export class StateError extends Error {
  override readonly name: string = 'StateError';
  /** `AIO_FROZEN`, `AIO_APP_STATE`, `AIO_RUNNER_STATE` or `AIO_SITE_STATE`. */
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/**
 * Application state that was read without a fallback is not there. The message names the key. Python raises `KeyError`.
 *
 * @example
 * ```ts
 * const db = app.get(DB); // KeyMissingError when nobody has set it
 * const maybe = app.get(DB, undefined);
 * ```
 */
export class KeyMissingError extends Error {
  override readonly name: string = 'KeyMissingError';
  readonly code: string = 'AIO_KEY_MISSING';
}

/**
 * A handler or a middleware returned something that is no response. The client gets a 500, the log gets this: who returned what,
 * for which route. A middleware sees it as an error of the handler.
 *
 * @example
 * ```ts
 * web.get('/', () => ({ a: 1 }) as never); // should be web.jsonResponse({ a: 1 })
 * ```
 */
export class HandlerResultError extends TypeError {
  override readonly name: string = 'HandlerResultError';
  readonly code: string = 'AIO_HANDLER_RESULT';
}

/**
 * A site could not listen. The message names the address and what can be done; `cause` is the system's error and `code` is
 * `AIO_ADDRESS_IN_USE`, `AIO_ADDRESS_FORBIDDEN`, `AIO_ADDRESS_UNAVAILABLE` or `AIO_LISTEN_FAILED`.
 *
 * @example
 * ```ts
 * try {
 *   await site.start();
 * } catch (error) {
 *   if (error instanceof web.ListenError && error.code === 'AIO_ADDRESS_IN_USE') console.error(error.message);
 *   else throw error;
 * }
 * ```
 */
export class ListenError extends Error {
  override readonly name: string = 'ListenError';
  readonly code: string;

  constructor(code: string, message: string, cause: unknown) {
    super(message, { cause });
    this.code = code;
  }
}

/**
 * Thrown by a handler, a background task's owner or a start-up function to say: stop the server in good order. `runApp` then cleans
 * up and resolves. Counterpart of `aiohttp.web.GracefulExit`.
 *
 * @example
 * ```ts
 * web.post('/admin/stop', () => {
 *   throw new web.GracefulExit();
 * });
 * ```
 */
export class GracefulExit extends Error {
  override readonly name: string = 'GracefulExit';
  readonly code: string = 'AIO_GRACEFUL_EXIT';

  constructor(message: string = 'The server was asked to stop') {
    super(message);
  }
}

/**
 * A file became shorter, or was replaced by a shorter one in place, while it was sent: the connection is cut, so that the client sees that its
 * copy is not complete. The message says how far it came. Behind `app.fetch` also a file that was replaced or removed before anybody read it.
 *
 * @example
 * ```ts
 * try {
 *   await response.writeEof();
 * } catch (error) {
 *   if (error instanceof web.FileChangedError) console.warn(error.message);
 *   throw error;
 * }
 * ```
 */
export class FileChangedError extends Error {
  override readonly name: string = 'FileChangedError';
  readonly code: string = 'AIO_FILE_CHANGED';

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
  }
}

/**
 * A file of a form was read after the answer had been sent: by then its content is gone. Save it, or keep its bytes, before the handler
 * returns.
 *
 * @example
 * ```ts
 * const file = (await request.post()).get('file');
 * if (file instanceof web.FileField) await file.saveTo(`uploads/${file.filename}`); // not without await
 * ```
 */
export class FileFieldClosedError extends Error {
  override readonly name: string = 'FileFieldClosedError';
  readonly code: string = 'AIO_FILE_FIELD_CLOSED';

  constructor() {
    super('The file of the form is gone: its request is over. Read or save it before the handler returns.');
  }
}
