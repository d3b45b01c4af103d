import path from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  addVary,
  codedTypeError,
  contentTypeByName,
  evaluateConditions,
  formatContentDisposition,
  formatContentRange,
  formatHttpDate,
  ifRangeHolds,
  parseHttpDate,
  shown,
  type Validators,
} from '../message/index.ts';
import type { BaseRequest } from './base-request.ts';
import { readBytes, sendBytes } from './file-body.ts';
import { openFailure, openFile } from './file-open.ts';
import { checkFileOptions, type FileOptions, type FileSettings } from './file-options.ts';
import { type FileParts, selectParts } from './file-ranges.ts';
import { chooseRepresentation, type FileRepresentation } from './file-representation.ts';
import { HTTPForbidden } from './http-exceptions.ts';
import { conditionsOf } from './request-conditions.ts';
import { ENDED, hasNoBody, NEW, type StreamResponseOptions } from './response-fields.ts';
import { StreamResponse } from './stream-response.ts';

/** Options of {@link FileResponse}. */
export interface FileResponseOptions extends StreamResponseOptions, FileOptions {
  /** Content-Type. By default that of the extension, `text/…` with `charset=utf-8`; `application/octet-stream` when it is not known. */
  readonly contentType?: string | undefined;
  /** The name under which the client shall save the file: `Content-Disposition: attachment; filename="…"`. */
  readonly downloadName?: string | undefined;
}

/** Up to this many bytes, a part of a file leaves in one write with its head. */
const ONE_WRITE = 65_536;
/** Codings are chosen by nobody else when the application has set one. */
const NO_CODINGS: readonly never[] = [];

/** How old the Date of a transport may be at most, in ms, even where the event loop was held up. */
const JUST_NOW = 10_000;

/**
 * A response that sends a file of the server's disk, at the pace of the client and with few bytes in memory.
 *
 * It answers conditional requests (304, 412) and requests for one range or several (206, 416) by the file's `ETag` and `Last-Modified`, and sends a
 * precompressed sibling where there is one that the client accepts. Conditions and ranges only count while the status is 200.
 *
 * The path is the application's own: it is opened as it is, symbolic links are followed. **Never build it from what a client sent**: that is what
 * `web.static()` is for.
 *
 * The file is opened when the response is sent. The client gets 404 when there is no such file, 403 when it may not be read or is a directory, a
 * pipe or a device. A file that grows meanwhile is sent to the length that was announced; one that shrinks ends the connection.
 *
 * aiohttp: `web.FileResponse`.
 *
 * @example
 * ```ts
 * app.addRoutes([
 *   web.get('/', () => new web.FileResponse('pages/index.html')),
 *   web.get('/report', () => new web.FileResponse('/srv/reports/7.pdf', { downloadName: 'Report März.pdf' })),
 * ]);
 * ```
 */
export class FileResponse extends StreamResponse {
  /** The file, as an absolute path. */
  readonly path: string;
  /** @internal */
  _settings: FileSettings;
  /** @internal Open or in memory, from the moment that it is known what is sent. */
  _representation: FileRepresentation | undefined;
  /** @internal What of it is sent; `undefined`: nothing but the head. */
  _parts: FileParts | undefined;
  /** @internal Content-Length; `undefined` where none is sent. */
  _length: number | undefined;
  /** @internal */
  _opening: Promise<void> | undefined;

  /**
   * @param file A path (a relative one begins at the working directory) or a `file:` URL.
   * @throws TypeError `AIO_FILE_PATH` when it is neither.
   * @throws RangeError `AIO_FILE_OPTION` when an option is out of its range; as `Response` for status, reason, headers and content type.
   */
  constructor(file: string | URL, options?: FileResponseOptions) {
    super(options);
    this.path = filePath(file);
    this._settings = checkFileOptions(options);
    this._representation = undefined;
    this._parts = undefined;
    this._length = undefined;
    this._opening = undefined;
    if (options === undefined) return;
    const { contentType, downloadName } = options;
    if (contentType !== undefined) {
      if (this.ownHeaders?.has('Content-Type') === true) {
        throw codedTypeError(
          'AIO_CONTENT_TYPE',
          'Content-Type is given twice: in headers and as contentType.',
        );
      }
      this._setMediaType(contentType, undefined);
    }
    if (downloadName !== undefined) {
      this.headers.set(
        'Content-Disposition',
        formatContentDisposition('attachment', { filename: downloadName }, 'attachment'),
      );
    }
  }

  /** @internal The response of a static resource, which has found and opened the file. */
  static _of(file: string, settings: FileSettings, representation: FileRepresentation): FileResponse {
    const response = new FileResponse(file);
    response._settings = settings;
    response._representation = representation;
    return response;
  }

  /** Bytes of the body; `undefined` before the file was opened. It follows from the file. */
  override get contentLength(): number | undefined {
    return this._length;
  }

  override set contentLength(_value: number | undefined) {
    throw codedTypeError('AIO_FILE_OPTION', 'The Content-Length of a FileResponse follows from its file.');
  }

  /** @internal */
  override _bodySize(): number | undefined {
    return hasNoBody(this.status) ? undefined : this._length;
  }

  /**
   * Opens the file and sends the head. Not needed: a handler may just return the response.
   *
   * @throws HTTPNotFound, HTTPForbidden when the file cannot be sent; else as {@link StreamResponse.prepare}.
   */
  override async prepare(request: BaseRequest): Promise<void> {
    if (this._state !== NEW && this._request === request._origin) return;
    try {
      await this._open(request);
      if (this._state !== NEW && this._request === request._origin) return;
      const signals = this._begin(request);
      if (signals !== undefined) await this._waitForSignals(signals);
      this._start();
    } catch (error) {
      this._abandon(request);
      throw error;
    }
  }

  /** Sends the file, after {@link prepare}. */
  override async writeEof(data?: Uint8Array): Promise<void> {
    if (this._state === ENDED) return;
    if (data !== undefined) {
      throw codedTypeError('AIO_BODY', 'writeEof() of a FileResponse takes no data: it sends its file.');
    }
    this._mustBeStarted('writeEof()');
    await this._sendParts();
  }

  /** @internal */
  override _send(request: BaseRequest): void | Promise<void> {
    if (this._state !== NEW) return super._send(request);
    const bytes = this._representation?.bytes;
    return bytes === undefined ? this._sendFile(request) : this._sendBytes(request, bytes);
  }

  /** @internal What is in memory needs no promise. */
  _sendBytes(request: BaseRequest, bytes: Uint8Array): void | Promise<void> {
    this._decide(request, this._representation!);
    const signals = this._begin(request);
    if (signals === undefined) return this._respond(partsOf(bytes, this._parts));
    return this._waitForSignals(signals).then(() => this._respond(partsOf(bytes, this._parts)));
  }

  /** @internal */
  async _sendFile(request: BaseRequest): Promise<void> {
    try {
      await this._open(request);
      const parts = this._parts;
      const [piece] = parts?.pieces ?? [];
      const isSmall = parts?.pieces.length === 1 && parts.length <= ONE_WRITE && request.method !== 'HEAD';
      // Read before anything is sent, so that what fails can still be told.
      const bytes = isSmall
        ? await readBytes(this._representation!.file!, piece!.start, piece!.end)
        : undefined;
      const isReady = bytes !== undefined || parts === undefined || request.method === 'HEAD';
      if (isReady) this._close();
      const signals = this._begin(request);
      if (signals !== undefined) await this._waitForSignals(signals);
      if (isReady) {
        await this._respond(bytes);
        return;
      }
      this._start();
      await this._sendParts();
    } catch (error) {
      this._abandon(request);
      throw error;
    }
  }

  /** @internal Head and body in one write. The head alone says how long the body of a GET would be, if it is one to HEAD. */
  _respond(bytes: Uint8Array | undefined): void | Promise<void> {
    if (this._parts !== undefined && !this._sendsBody()) {
      this._start();
      return this._end();
    }
    this._written = bytes?.byteLength ?? 0;
    return this._respondWhole(bytes);
  }

  /** @internal */
  async _sendParts(): Promise<void> {
    try {
      const { _parts: parts, _representation: representation } = this;
      if (parts !== undefined && representation !== undefined && this._sendsBody()) {
        for (const { preface, start, end } of parts.pieces) {
          if (preface !== '') await this._writePiece(Buffer.from(preface, 'latin1'));
          await this._sendPiece(representation, start, end);
        }
        if (parts.ending !== '') await this._writePiece(Buffer.from(parts.ending, 'latin1'));
      }
      this._close();
      await this._end();
    } catch (error) {
      this._close();
      // The head is out: only a cut shows the client that the file is not complete.
      if (this._state !== ENDED) {
        this._state = ENDED;
        this._exchange().abort();
      }
      throw error;
    }
  }

  /** @internal */
  async _sendPiece(representation: FileRepresentation, start: number, end: number): Promise<void> {
    const { bytes } = representation;
    if (bytes !== undefined) {
      await this._writePiece(bytes.subarray(start, end));
      return;
    }
    const isConnected = this._exchange().socket !== undefined;
    // Closed while nobody read the piece before.
    const file = representation.file ?? (await representation.reopen());
    // A compressor, and whoever reads a platform response, keeps what it is given; and that response may never be read at all.
    const reuse = this._coding === undefined && isConnected;
    const parked = isConnected ? undefined : representation;
    const { chunkSize } = this._settings;
    await sendBytes(file, start, end, chunkSize, (chunk) => this._writePiece(chunk), reuse, parked);
  }

  /** @internal Opens what is sent, unless it was handed over open, and decides what of it is. */
  async _open(request: BaseRequest): Promise<void> {
    if (this._representation === undefined) {
      this._opening ??= this._openPath(request);
      await this._opening;
    }
    this._decide(request, this._representation!);
  }

  /** @internal */
  async _openPath(request: BaseRequest): Promise<void> {
    const file = await openFile(this.path).catch((error: unknown) => {
      throw openFailure(error);
    });
    if (!file.isFile) {
      file.close();
      throw new HTTPForbidden();
    }
    const isCoded = this._coding !== undefined || this.ownHeaders?.has('Content-Encoding') === true;
    const codings = isCoded ? NO_CODINGS : this._settings.codings;
    const accepted = request._header('accept-encoding');
    this._representation = await chooseRepresentation(file, this.path, accepted, codings);
  }

  /** @internal Fills the head by what the request asks of the file (RFC 9110 §13.2.2). What the application has set stays. */
  _decide(request: BaseRequest, representation: FileRepresentation): void {
    const { headers } = this;
    const { size, coding } = representation;
    if (!headers.has('ETag')) headers.set('ETag', representation.etag.toString());
    if (!headers.has('Last-Modified')) {
      // RFC 9110 §8.8.2.1: never later than Date. That of the transport may be a tick old: a file that has just changed gets its own.
      const now = Date.now();
      const modified = Math.min(representation.lastModified, now);
      headers.set('Last-Modified', formatHttpDate(modified));
      if (now - modified < JUST_NOW && !headers.has('Date')) headers.set('Date', formatHttpDate(now));
    }
    const { cacheControl, nosniff } = this._settings;
    if (cacheControl !== undefined && !headers.has('Cache-Control'))
      headers.set('Cache-Control', cacheControl);
    if (nosniff && !headers.has('X-Content-Type-Options')) headers.set('X-Content-Type-Options', 'nosniff');
    if (representation.varies) addVary(headers, 'Accept-Encoding');
    const conditions = this.status === 200 ? conditionsOf(request) : undefined;
    if (conditions !== undefined) {
      const result = evaluateConditions(request.method, conditions, this._validators());
      if (result !== 'proceed') {
        this._withoutContent(result === 'notModified' ? 304 : 412);
        return;
      }
    }
    if (!headers.has('Content-Type')) headers.set('Content-Type', contentTypeByName(this.path));
    if (coding !== undefined) headers.set('Content-Encoding', coding);
    if (this.status === 200) {
      headers.set('Accept-Ranges', 'bytes');
      if (request.method === 'GET' && this._selectRange(request, size)) return;
    }
    this._length = size;
    this._parts = {
      pieces: [{ preface: '', start: 0, end: size }],
      ending: '',
      length: size,
      contentRange: undefined,
      boundary: undefined,
    };
  }

  /** @internal Those that are sent, which the application may have set. */
  _validators(): Validators {
    const date = this.ownHeaders?.get('Last-Modified');
    return { etag: this.etag, lastModified: date === undefined ? undefined : parseHttpDate(date) };
  }

  /** @internal Whether the request asks for a part, which is then what is sent. */
  _selectRange(request: BaseRequest, size: number): boolean {
    const range = request._header('range');
    if (range === undefined || !ifRangeHolds(request._header('if-range'), this._validators())) return false;
    const { headers } = this;
    const type = headers.get('Content-Type') ?? contentTypeByName(this.path);
    const parts = selectParts(range, size, type);
    if (parts === undefined) return false;
    if (parts === 'unsatisfiable') {
      this._withoutContent(416);
      headers.set('Content-Range', formatContentRange(undefined, size));
      return true;
    }
    this.setStatus(206);
    if (parts.contentRange !== undefined) headers.set('Content-Range', parts.contentRange);
    else headers.set('Content-Type', `multipart/byteranges; boundary=${parts.boundary}`);
    this._parts = parts;
    this._length = parts.length;
    return true;
  }

  /** @internal */
  _withoutContent(status: number): void {
    this.setStatus(status);
    const { headers } = this;
    for (const name of ['Content-Type', 'Content-Encoding', 'Content-Disposition', 'Content-Length']) {
      headers.delete(name);
    }
    // A cache that was told to keep a 412 or 416 would give it to everybody who asks for the file (RFC 9111 §3).
    if (status !== 304) for (const name of ['Cache-Control', 'Expires']) headers.delete(name);
    this._parts = undefined;
    this._length = status === 304 ? undefined : 0;
  }

  /** @internal Nothing is sent for this request. One that is answered with the response of another must not end that one's file. */
  _abandon(request: BaseRequest): void {
    if (this._request === undefined || this._request === request._origin) this._close();
  }

  /** @internal */
  _close(): void {
    this._representation?.close();
  }

  /** @internal */
  override _exchangeFailed(error: Error): void {
    super._exchangeFailed(error);
    this._close();
  }
}

/** The bytes of the parts, put together. */
function partsOf(bytes: Uint8Array, parts: FileParts | undefined): Uint8Array | undefined {
  if (parts === undefined) return undefined;
  const [piece] = parts.pieces;
  if (parts.pieces.length === 1) {
    return parts.length === bytes.byteLength ? bytes : bytes.subarray(piece!.start, piece!.end);
  }
  const joined = parts.pieces.flatMap(({ preface, start, end }) => [
    Buffer.from(preface, 'latin1'),
    bytes.subarray(start, end),
  ]);
  return Buffer.concat([...joined, Buffer.from(parts.ending, 'latin1')]);
}

function filePath(file: string | URL): string {
  if (typeof file === 'string' && file !== '') return path.resolve(file);
  if (file instanceof URL && file.protocol === 'file:') return fileURLToPath(file);
  throw codedTypeError('AIO_FILE_PATH', `A file is a path or a file: URL, got ${shown(String(file))}.`);
}
