import { COLON, CR, FIELD_VALUE, HTAB, LF, SP, TOKEN } from './bytes.ts';
import type { Fault } from './protocol-error.ts';

/** Told of every field line while the bytes go by, so that framing needs no second look. */
export interface FieldSink {
  /** Offsets into `bytes`; the value is trimmed. Returns what is wrong with the field, if anything. */
  field(
    bytes: Uint8Array,
    nameStart: number,
    nameEnd: number,
    valueStart: number,
    valueEnd: number,
  ): Fault | undefined;
}

const LINE_START = 0;
const NAME = 1;
const VALUE_START = 2;
const VALUE = 3;
const VALUE_LF = 4;
const FINAL_LF = 5;
const FOLD = 6;

/**
 * Reads a block of field lines up to its empty line (RFC 9112 §5), in a header section or a trailer section. Every byte is
 * looked at once, also when the block arrives in pieces: the scanner keeps its place.
 *
 * `lenient` is for responses only: there a lone LF ends a line (RFC 9112 §2.2 lets a recipient do so) and a folded line is
 * joined to the one before (§5.2), because servers that do either exist.
 */
export class FieldScanner {
  /** Set when `scan` returned -1. */
  fault: Fault | undefined;
  /** The block is complete; `scan` returned the offset behind it. */
  done: boolean;
  #state: number;
  #lineStart: number;
  #nameEnd: number;
  #valueStart: number;
  #count: number;
  readonly #maxFieldSize: number;
  readonly #maxFields: number;
  readonly #lenient: boolean;

  constructor(maxFieldSize: number, maxFields: number, lenient: boolean) {
    this.fault = undefined;
    this.done = false;
    this.#state = LINE_START;
    this.#lineStart = 0;
    this.#nameEnd = 0;
    this.#valueStart = 0;
    this.#count = 0;
    this.#maxFieldSize = maxFieldSize;
    this.#maxFields = maxFields;
    this.#lenient = lenient;
  }

  reset(): void {
    this.fault = undefined;
    this.done = false;
    this.#state = LINE_START;
    this.#count = 0;
  }

  /** The bytes moved towards the start of their buffer by `distance`. */
  rebase(distance: number): void {
    this.#lineStart -= distance;
    this.#nameEnd -= distance;
    this.#valueStart -= distance;
  }

  /** Reads on from `at`; returns where it stopped, or -1 with `fault` set. */
  scan(bytes: Uint8Array, at: number, end: number, sink: FieldSink): number {
    // Locals, because a module binding is looked up again for every byte: 15 % of the whole parse.
    const token = TOKEN;
    const fieldValue = FIELD_VALUE;
    let state = this.#state;
    let index = at;
    while (index < end) {
      switch (state) {
        case LINE_START: {
          const byte = bytes[index]!;
          if (token[byte] === 1) {
            if (++this.#count > this.#maxFields) return this.#fail('tooManyFields');
            this.#lineStart = index++;
            state = NAME;
            break;
          }
          if (byte === CR) {
            index++;
            state = FINAL_LF;
            break;
          }
          if (byte === LF && this.#lenient) return this.#finish(index + 1);
          return this.#fail(faultAtLineStart(byte));
        }
        case NAME: {
          while (index < end && token[bytes[index]!] === 1) index++;
          if (index - this.#lineStart > this.#maxFieldSize) return this.#fail('fieldTooLong');
          if (index === end) break;
          const byte = bytes[index]!;
          if (byte !== COLON) return this.#fail(faultInName(byte));
          this.#nameEnd = index++;
          state = VALUE_START;
          break;
        }
        case VALUE_START: {
          while (index < end && (bytes[index] === SP || bytes[index] === HTAB)) index++;
          if (index - this.#lineStart > this.#maxFieldSize) return this.#fail('fieldTooLong');
          if (index === end) break;
          this.#valueStart = index;
          state = VALUE;
          break;
        }
        case VALUE: {
          while (index < end && fieldValue[bytes[index]!] === 1) index++;
          if (index - this.#lineStart > this.#maxFieldSize) return this.#fail('fieldTooLong');
          if (index === end) break;
          const byte = bytes[index]!;
          if (byte === CR) {
            index++;
            state = VALUE_LF;
            break;
          }
          if (byte !== LF) return this.#fail('badValue');
          if (!this.#lenient) return this.#fail('bareLineFeed');
          state = FOLD;
          index++;
          break;
        }
        case VALUE_LF: {
          if (bytes[index] !== LF) return this.#fail('bareCarriageReturn');
          if (this.#lenient) {
            state = FOLD;
            index++;
            break;
          }
          const fault = this.#note(bytes, index - 1, sink);
          if (fault !== undefined) return this.#fail(fault);
          index++;
          state = LINE_START;
          break;
        }
        case FOLD: {
          // Only here, one byte later, is it known whether the line went on (lenient role).
          const byte = bytes[index]!;
          if (byte === SP || byte === HTAB) {
            state = VALUE;
            break;
          }
          const fault = this.#note(bytes, index, sink);
          if (fault !== undefined) return this.#fail(fault);
          state = LINE_START;
          break;
        }
        default: {
          if (bytes[index] !== LF) return this.#fail('bareCarriageReturn');
          return this.#finish(index + 1);
        }
      }
    }
    this.#state = state;
    return index;
  }

  #note(bytes: Uint8Array, lineEnd: number, sink: FieldSink): Fault | undefined {
    let valueEnd = lineEnd;
    while (valueEnd > this.#valueStart && bytes[valueEnd - 1]! <= SP) valueEnd--;
    return sink.field(bytes, this.#lineStart, this.#nameEnd, this.#valueStart, valueEnd);
  }

  #finish(index: number): number {
    this.done = true;
    this.#state = LINE_START;
    return index;
  }

  #fail(fault: Fault): -1 {
    this.fault = fault;
    return -1;
  }
}

function faultAtLineStart(byte: number): Fault {
  if (byte === SP || byte === HTAB) return 'lineFolding';
  if (byte === LF) return 'bareLineFeed';
  if (byte === COLON) return 'emptyName';
  return 'badName';
}

function faultInName(byte: number): Fault {
  if (byte === SP || byte === HTAB) return 'spaceBeforeColon';
  if (byte === CR) return 'missingColon';
  if (byte === LF) return 'bareLineFeed';
  return 'badName';
}
