// What the threads of thread.test.ts run.
export function double(n) {
  return n * 2;
}

export async function slowly(text) {
  await new Promise((resolve) => setTimeout(resolve, 1));
  return text;
}

export function fail() {
  throw Object.assign(new RangeError('from the module'), { code: 'MINE', detail: { a: 1 }, fn: () => {} });
}

export const notAFunction = 1;
