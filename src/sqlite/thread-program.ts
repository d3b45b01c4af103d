/**
 * The program of a thread: the file beside this one. Run from source, by the tests of this package, it is TypeScript, and the threads of Node 20 do not
 * inherit the loader of the process.
 */
export function threadProgram(): URL {
  if (!import.meta.url.endsWith('.ts')) return new URL('./thread.js', import.meta.url);
  const loader = JSON.stringify(import.meta.resolve('tsx/esm/api'));
  const program = JSON.stringify(new URL('./thread.ts', import.meta.url).href);
  const text = `import { register } from ${loader}; register(); await import(${program});`;
  return new URL(`data:text/javascript,${encodeURIComponent(text)}`);
}
