import type { Position } from './nodes.ts';

/** A line of generated code with the place of the template that it stands for. */
export interface Line {
  readonly text: string;
  readonly at: Position | undefined;
}

/** Collects generated code line by line; what is known late (declarations) goes into the middle. */
export class Code {
  readonly lines: Line[] = [];

  /** Adds a line that belongs to a place of the template. */
  add(text: string, at?: Position): void {
    if (!text.includes('\n')) {
      this.lines.push({ text, at });
      return;
    }
    for (const part of text.split('\n')) this.lines.push({ text: part, at });
  }

  /** Adds other code. */
  append(code: Code): void {
    for (const line of code.lines) this.lines.push(line);
  }

  toString(): string {
    return this.lines.map((line) => line.text).join('\n');
  }

  /** For each line its place in the template as `[line, column]`, or 0. */
  positions(): (readonly [number, number] | 0)[] {
    return this.lines.map(({ at }) => (at === undefined ? 0 : ([at.line, at.column] as const)));
  }
}

/** A JavaScript string literal. */
export function literal(text: string): string {
  return JSON.stringify(text).replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029');
}
