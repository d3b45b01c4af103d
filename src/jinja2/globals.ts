import { isInteger } from './arithmetic.ts';
import { PythonRuntimeError, TemplateTypeError, ValueError } from './errors.ts';
import { checkItems } from './growth.ts';
import { lipsum } from './lipsum.ts';
import { Markup } from './markup.ts';
import { placeArguments } from './methods/text.ts';
import { NativeFunction, TemplateObject } from './objects.ts';
import { pairsOf } from './sequences.ts';
import { Undefined } from './undefined.ts';
import { Dict, Namespace, Range, typeName } from './values.ts';

/** Goes round its values, one step a call of `next()`. */
export class Cycler extends TemplateObject {
  readonly #items: readonly unknown[];
  #position = 0;

  constructor(items: readonly unknown[]) {
    super();
    if (items.length === 0) throw new PythonRuntimeError('at least one item has to be provided');
    this.#items = items;
  }

  get current(): unknown {
    return this.#items[this.#position];
  }

  next(): unknown {
    const { current } = this;
    this.#position = (this.#position + 1) % this.#items.length;
    return current;
  }

  reset(): null {
    this.#position = 0;
    return null;
  }

  override member(name: string): unknown {
    if (name === 'current') return this.current;
    if (name === 'next') return new NativeFunction('next', () => this.next());
    return name === 'reset' ? new NativeFunction('reset', () => this.reset()) : undefined;
  }
}

/** Gives nothing when it is called first, its separator afterwards. */
export class Joiner extends TemplateObject {
  readonly #separator: unknown;
  #used = false;

  constructor(separator: unknown) {
    super();
    this.#separator = separator;
  }

  override get callable(): boolean {
    return true;
  }

  override invoke(): unknown {
    if (this.#used) return this.#separator;
    this.#used = true;
    return '';
  }
}

function range(args: readonly unknown[]): Range {
  if (args.length < 1 || args.length > 3) {
    throw new TemplateTypeError(
      `range expected ${args.length === 0 ? 'at least 1 argument' : 'at most 3 arguments'}, got ${args.length}`,
    );
  }
  const numbers = args.map((value) => {
    if (value instanceof Undefined) value.fail();
    if (!isInteger(value))
      throw new TemplateTypeError(`'${typeName(value)}' object cannot be interpreted as an integer`);
    return Number(value);
  });
  const [first = 0, second, step = 1] = numbers;
  if (step === 0) throw new ValueError('range() arg 3 must not be zero');
  return second === undefined ? new Range(0, first) : new Range(first, second, step);
}

/** The names that every template sees. */
export function builtInGlobals(): Record<string, unknown> {
  return {
    range: new NativeFunction('range', (args) => range(args)),
    dict: new NativeFunction('dict', ([pairs], keywords) => {
      const made = new Dict(pairs === undefined ? [] : pairsOf(pairs));
      for (const [key, value] of Object.entries(keywords ?? {})) made.set(key, value);
      return made;
    }),
    lipsum: new NativeFunction('lipsum', (args, keywords) => {
      const [count = 5, html = true, min = 20, max = 100] = placeArguments(
        'lipsum',
        ['n', 'html', 'min', 'max'],
        args,
        keywords,
      );
      checkItems(Number(count) * Number(max));
      const text = lipsum(Number(count), html === true, Number(min), Number(max));
      return html === true ? new Markup(text) : text;
    }),
    cycler: new NativeFunction('cycler', (args) => new Cycler(args)),
    joiner: new NativeFunction(
      'joiner',
      (args, keywords) => new Joiner(placeArguments('joiner', ['sep'], args, keywords)[0] ?? ', '),
    ),
    namespace: new NativeFunction('namespace', ([pairs], keywords) => {
      const made = new Namespace();
      if (pairs !== undefined)
        for (const [key, value] of pairsOf(pairs)) made.attributes.set(String(key), value);
      for (const [key, value] of Object.entries(keywords ?? {})) made.attributes.set(key, value);
      return made;
    }),
  };
}
