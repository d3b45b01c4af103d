import type { Environment } from './environment.ts';
import type { Statement } from './nodes.ts';
import type { Parser } from './parser.ts';

/** Something that adds tags to the language, or changes the source before it is read. */
export interface Extension {
  /** Name, used in messages. */
  readonly name: string;
  /** Tags that `parse` reads. */
  readonly tags: readonly string[];
  /** Reads a tag; `parser.stream.current` is the tag's name. */
  parse?(parser: Parser): Statement | readonly Statement[];
  /** Changes the source before it is cut into tokens. */
  preprocess?(source: string, name: string | undefined, filename: string | undefined): string;
  /** Called once when an environment takes the extension. */
  install?(environment: Environment): void;
}

/** `{% do expression %}`: computes without printing (`jinja2.ext.do`). */
export const doExtension: Extension = {
  name: 'jinja2.ext.do',
  tags: ['do'],
  parse(parser) {
    const { line, column } = parser.stream.next();
    return { type: 'do', value: parser.expressions.tuple(), line, column };
  },
};

/** `{% break %}` and `{% continue %}` in loops (`jinja2.ext.loopcontrols`). */
export const loopControlsExtension: Extension = {
  name: 'jinja2.ext.loopcontrols',
  tags: ['break', 'continue'],
  parse(parser) {
    const { value, line, column } = parser.stream.next();
    return { type: value as 'break' | 'continue', line, column };
  },
};

/** `{% debug %}`: prints the context and the names of filters and tests (`jinja2.ext.debug`). */
export const debugExtension: Extension = {
  name: 'jinja2.ext.debug',
  tags: ['debug'],
  parse(parser) {
    const { line, column } = parser.stream.next();
    const callee = { type: 'name', name: '__debug__', line, column } as const;
    const args = { args: [], keywords: [], spread: undefined, keywordSpread: undefined };
    return { type: 'output', parts: [{ type: 'call', callee, args, line, column }], line, column };
  },
};
