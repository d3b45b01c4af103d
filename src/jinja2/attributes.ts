import { isInteger } from './arithmetic.ts';
import type { EvalContext } from './context.ts';
import { SecurityError, TemplateTypeError } from './errors.ts';
import type { Lookup } from './formatting.ts';
import { Markup } from './markup.ts';
import { callMethodOf, fieldOf, hasMethod } from './methods/collections.ts';
import { callTextMethod, textMethodNames } from './methods/text.ts';
import { type Keywords, NativeFunction, TemplateObject } from './objects.ts';
import { itemAt } from './sequences.ts';
import { Undefined } from './undefined.ts';
import {
  Dict,
  DictView,
  Float,
  isMapping,
  isRecord,
  isText,
  Namespace,
  Range,
  Tuple,
  TypeName,
  textOf,
  typeName,
} from './values.ts';

/*
 * What a template may reach. Data: own properties of plain objects, and of instances also the getters and methods of their classes,
 * up to but without the classes that the language brings along. Methods of texts, lists and so on: those of Python, from tables.
 * There is no way to `constructor`, a prototype, a function's properties or a global.
 */

const FORBIDDEN: ReadonlySet<string> = new Set([
  'constructor',
  'prototype',
  '__proto__',
  '__defineGetter__',
  '__defineSetter__',
  '__lookupGetter__',
  '__lookupSetter__',
]);

function nativePrototypes(): ReadonlySet<object> {
  const found = new Set<object>();
  for (const name of Object.getOwnPropertyNames(globalThis)) {
    // Web classes (URL, Headers, Request) are data that templates may read; the language's own are not.
    if (
      !/^(?:Object|Function|Array|String|Number|Boolean|Symbol|BigInt|Map|Set|WeakMap|WeakSet|WeakRef|Promise|RegExp|Date|\w*Error|\w*Array|ArrayBuffer|SharedArrayBuffer|DataView|Iterator|FinalizationRegistry|Proxy)$/.test(
        name,
      )
    )
      continue;
    const prototype = (globalThis as unknown as Record<string, { prototype?: object } | undefined>)[name]
      ?.prototype;
    if (typeof prototype === 'object' || typeof prototype === 'function') found.add(prototype);
  }
  const samples = [
    [][Symbol.iterator](),
    new Map().entries(),
    new Set().values(),
    ''[Symbol.iterator](),
    (function* () {})(),
    (async function* () {})(),
    new Uint8Array(0),
  ];
  for (const sample of samples) {
    let prototype = Object.getPrototypeOf(sample) as object | null;
    while (prototype !== null) {
      found.add(prototype);
      prototype = Object.getPrototypeOf(prototype) as object | null;
    }
  }
  found.add(Object.getPrototypeOf(async () => {}) as object);
  return found;
}

const NATIVE = nativePrototypes();

/** Functions that turn texts into code; they are never called from a template, wherever they come from. */
const EVALUATORS: ReadonlySet<unknown> = new Set([
  Function,
  // biome-ignore lint/security/noGlobalEval: listed to be refused
  globalThis.eval,
  Object.getPrototypeOf(async () => {}).constructor,
  Object.getPrototypeOf(function* () {}).constructor,
  Object.getPrototypeOf(async function* () {}).constructor,
  Function.prototype.call,
  Function.prototype.apply,
  Function.prototype.bind,
]);

/** Refuses functions that would run text as code. */
export function assertCallable(value: unknown): void {
  if (EVALUATORS.has(value)) throw new SecurityError('this function may not be called from a template');
}

/** `{}.name` of a class instance: own, or from a class that is not built in; undefined otherwise. */
function instanceMember(object: object, name: string): unknown {
  if (FORBIDDEN.has(name)) return undefined;
  if (Object.hasOwn(object, name)) return (object as Record<string, unknown>)[name];
  for (
    let p = Object.getPrototypeOf(object) as object | null;
    p !== null && !NATIVE.has(p);
    p = Object.getPrototypeOf(p) as object | null
  ) {
    if (!Object.hasOwn(p, name)) continue;
    const value = (object as Record<string, unknown>)[name];
    return typeof value === 'function' ? bound(object, value as (...args: unknown[]) => unknown) : value;
  }
  if (object instanceof Error && name === 'name') return object.name;
  return undefined;
}

function bound(self: object, method: (...args: unknown[]) => unknown): unknown {
  assertCallable(method);
  return /^class\b/.test(Function.prototype.toString.call(method)) ? undefined : method.bind(self);
}

/** How `text.format()` reads the parts of a field: as the environment of the render does when that is a sandbox. */
const textLookup =
  (context: EvalContext | undefined): Lookup =>
  (value, name, isItem) => {
    const environment = context?.environment;
    if (environment?.isSandboxed === true) {
      const checked = isItem
        ? environment.getItem(value, name)
        : environment.getAttribute(value, String(name));
      return checked instanceof Undefined ? checked.fail() : checked;
    }
    const found = isItem ? itemOf(value, name) : attributeOf(value, String(name));
    if (found === undefined)
      throw new TemplateTypeError(`'${typeName(value)}' object has no attribute '${name}'`);
    return found;
  };

/** `getattr(value, name)`: methods and attributes, not entries. Undefined when there is none. */
export function attributeOf(value: unknown, name: string): unknown {
  if (name === '__class__') return value instanceof Undefined ? undefined : new TypeName(typeName(value));
  if (isText(value)) {
    return textMethodNames.has(name) &&
      (value instanceof Markup || (name !== 'striptags' && name !== 'unescape'))
      ? new NativeFunction(name, (args, keywords, context) =>
          callTextMethod(value, name, args, keywords, textLookup(context)),
        )
      : undefined;
  }
  if (value === null || value === undefined || typeof value === 'function' || typeof value === 'symbol')
    return undefined;
  if (value instanceof TemplateObject) return value.member(name);
  if (hasMethod(value, name))
    return new NativeFunction(name, (args, keywords) => callMethodOf(value, name, args, keywords));
  if (value instanceof Namespace) return value.attributes.get(name);
  if (value instanceof TypeName) return name === '__name__' ? value.name : undefined;
  if (value instanceof DictView) return undefined;
  if (value instanceof Range)
    return name === 'start' || name === 'stop' || name === 'step' ? value[name] : undefined;
  const field = fieldOf(value, name);
  if (field !== undefined || typeof value !== 'object' || value instanceof Float || isMapping(value))
    return field;
  if (Array.isArray(value))
    return name !== 'length' && /^\D/.test(name) && Object.hasOwn(value, name)
      ? (value as unknown as Record<string, unknown>)[name]
      : undefined;
  return instanceMember(value, name);
}

/** `value[key]`: entries and items, not attributes. Undefined when there is none. */
export function itemOf(value: unknown, key: unknown): unknown {
  if (typeof value === 'object' && value !== null) {
    if (value instanceof Dict) return value.get(key);
    if (value instanceof Map)
      return value.get(key instanceof Markup ? key.html : key instanceof Float ? key.number : key);
    if (isRecord(value)) {
      if (isText(key)) {
        const name = textOf(key);
        return Object.hasOwn(value, name) && name !== '__proto__' ? value[name] : undefined;
      }
      // JavaScript has no other keys than texts: a row keyed by number is found by the number too.
      return isInteger(key) && Object.hasOwn(value, String(key)) ? value[String(key)] : undefined;
    }
  }
  if (isInteger(key)) return itemAt(value, Number(key));
  return undefined;
}

/** `value.name` in a template: the attribute, else the entry. */
export function getAttribute(value: unknown, name: string): unknown {
  const found = attributeOf(value, name);
  return found === undefined ? itemOf(value, name) : found;
}

/** `value[key]` in a template: the entry or item, else the attribute. */
export function getItem(value: unknown, key: unknown): unknown {
  const found = itemOf(value, key);
  return found === undefined && isText(key) ? attributeOf(value, textOf(key)) : found;
}

/** A value of the engine as a function of the application expects it. */
export function toNative(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Undefined) return undefined;
  if (value instanceof Float) return value.number;
  if (value instanceof Dict) {
    const entries = [...value].map(([key, item]) => [toNative(key), toNative(item)] as const);
    if (!entries.every(([key]) => typeof key === 'string')) return new Map(entries);
    const record: Record<string, unknown> = {};
    for (const [key, item] of entries) {
      Object.defineProperty(record, key as string, {
        value: item,
        writable: true,
        enumerable: true,
        configurable: true,
      });
    }
    return record;
  }
  if (value instanceof DictView) return Array.from(value, toNative);
  if (Array.isArray(value)) {
    return value.some((item) => typeof item === 'object' && item !== null && toNative(item) !== item) ||
      value instanceof Tuple
      ? Array.from(value, toNative)
      : value;
  }
  if (value instanceof TemplateObject && value.callable) return nativeOf(value);
  return value;
}

const natives = new WeakMap<TemplateObject, (...args: unknown[]) => unknown>();

function nativeOf(value: TemplateObject): (...args: unknown[]) => unknown {
  let native = natives.get(value);
  if (native === undefined) {
    native = (...args) => value.invoke(args, undefined, { autoescape: false } as EvalContext);
    natives.set(value, native);
  }
  return native;
}

/** Calls a function of the application: keywords are its last argument, an object. */
export function callForeign(
  self: unknown,
  f: (...args: unknown[]) => unknown,
  args: readonly unknown[],
  keywords: Keywords | undefined,
): unknown {
  assertCallable(f);
  const given = args.map(toNative);
  if (keywords !== undefined) {
    const options: Record<string, unknown> = {};
    for (const [name, value] of Object.entries(keywords)) options[name] = toNative(value);
    given.push(options);
  }
  return Reflect.apply(f, self, given);
}

/** Calls `value.name(…)` without making a bound method first; undefined when it is no method of the engine's tables. */
export function callBuiltInMethod(
  value: unknown,
  name: string,
  args: readonly unknown[],
  keywords: Keywords | undefined,
  context: EvalContext,
): { readonly result: unknown } | undefined {
  if (isText(value)) {
    if (
      !textMethodNames.has(name) ||
      (typeof value === 'string' && (name === 'striptags' || name === 'unescape'))
    )
      return undefined;
    return { result: callTextMethod(value, name, args, keywords, textLookup(context)) };
  }
  if (!hasMethod(value, name)) return undefined;
  return { result: callMethodOf(value, name, args, keywords) };
}
