/** One place of a template on the way to an error, innermost first. */
export interface TemplateFrame {
  /** Name of the template as the loader knows it. */
  readonly template: string;
  /** 1-based line. */
  readonly line: number;
  /** 1-based column. */
  readonly column: number;
  /** What was running: `root`, `block title`, `macro field`. */
  readonly within: string;
  /** The text of that line, when the source is at hand. */
  readonly source: string | undefined;
}

/**
 * Base of every error that the template engine raises by itself.
 *
 * `frames` is the chain of templates, blocks, includes and macros that led to the error, innermost first. Errors thrown by
 * functions of the application are not wrapped: they keep their identity and get the chain in their `stack`.
 */
export class TemplateError extends Error {
  override readonly name: string = 'TemplateError';
  /** Stable identifier, see `docs/errors.md`. */
  readonly code: string = 'AIO_JINJA_TEMPLATE';
  /** Where in the templates, innermost first; empty until the error leaves a render. */
  frames: readonly TemplateFrame[] = [];
}

/** The source of a template breaks the language's rules (Jinja2: `TemplateSyntaxError`). */
export class TemplateSyntaxError extends TemplateError {
  override readonly name: string = 'TemplateSyntaxError';
  override readonly code: string = 'AIO_JINJA_SYNTAX';
  /** 1-based line in the template. */
  readonly line: number;
  /** 1-based column in the template; 0 when only the line is known. */
  readonly column: number;
  /** Name of the template, or undefined for a string. */
  templateName: string | undefined;
  /** Path of the file that the template came from. */
  filename: string | undefined;

  constructor(message: string, line: number, column: number = 0, templateName?: string, filename?: string) {
    super(message);
    this.line = line;
    this.column = column;
    this.templateName = templateName;
    this.filename = filename;
  }
}

/** The template is well formed but names something that doesn't exist, such as an unknown filter. */
export class TemplateAssertionError extends TemplateSyntaxError {
  override readonly name: string = 'TemplateAssertionError';
  override readonly code: string = 'AIO_JINJA_ASSERTION';
}

/** No loader knows the template (Jinja2: `TemplateNotFound`). */
export class TemplateNotFound extends TemplateError {
  override readonly name: string = 'TemplateNotFound';
  override readonly code: string = 'AIO_JINJA_NOT_FOUND';
  /** The name that was asked for. */
  readonly templateName: string;
  /** Every name that was tried. */
  readonly templates: readonly string[];

  constructor(
    templateName: string,
    message: string = templateName,
    templates: readonly string[] = [templateName],
  ) {
    super(message);
    this.templateName = templateName;
    this.templates = templates;
  }
}

/** None of several templates exists (Jinja2: `TemplatesNotFound`). */
export class TemplatesNotFound extends TemplateNotFound {
  override readonly name: string = 'TemplatesNotFound';

  constructor(names: readonly string[], message?: string) {
    super(
      names[names.length - 1] ?? '',
      message ?? `none of the templates given were found: ${names.join(', ')}`,
      names,
    );
  }
}

/** Something went wrong while a template rendered. */
export class TemplateRuntimeError extends TemplateError {
  override readonly name: string = 'TemplateRuntimeError';
  override readonly code: string = 'AIO_JINJA_RUNTIME';
}

/** What Python raises as `RuntimeError`. */
export class PythonRuntimeError extends TemplateRuntimeError {
  override readonly name: string = 'RuntimeError';
}

/** Templates, macros or loops call each other without end (Python: `RecursionError`). */
export class RecursionError extends TemplateRuntimeError {
  override readonly name: string = 'RecursionError';
  override readonly code: string = 'AIO_JINJA_RECURSION';

  constructor(message: string = 'maximum recursion depth exceeded') {
    super(message);
  }
}

/** An undefined value was used for more than printing it. */
export class UndefinedError extends TemplateRuntimeError {
  override readonly name: string = 'UndefinedError';
  override readonly code: string = 'AIO_JINJA_UNDEFINED';
}

/** A filter was called with arguments that it cannot work with. */
export class FilterArgumentError extends TemplateRuntimeError {
  override readonly name: string = 'FilterArgumentError';
  override readonly code: string = 'AIO_JINJA_FILTER_ARGUMENT';
}

/** A sandboxed template asked for something that the sandbox forbids. */
export class SecurityError extends TemplateRuntimeError {
  override readonly name: string = 'SecurityError';
  override readonly code: string = 'AIO_JINJA_SECURITY';
}

/** What Python raises as `ValueError` while an expression is computed. */
export class ValueError extends RangeError {
  override readonly name: string = 'ValueError';
  readonly code: string = 'AIO_JINJA_VALUE';
}

/** What Python raises as `ZeroDivisionError`. */
export class ZeroDivisionError extends RangeError {
  override readonly name: string = 'ZeroDivisionError';
  readonly code: string = 'AIO_JINJA_ZERO_DIVISION';
}

/** What Python raises as `OverflowError`. */
export class OverflowError extends RangeError {
  override readonly name: string = 'OverflowError';
  readonly code: string = 'AIO_JINJA_OVERFLOW';
}

/** What Python raises as `IndexError` or `KeyError`. */
export class LookupError extends RangeError {
  override readonly name: string;
  readonly code: string = 'AIO_JINJA_LOOKUP';

  constructor(kind: 'IndexError' | 'KeyError', message: string) {
    super(message);
    this.name = kind;
  }
}

/** What Python raises as `TypeError` while an expression is computed. */
export class TemplateTypeError extends TypeError {
  override readonly name: string = 'TypeError';
  readonly code: string = 'AIO_JINJA_TYPE';
}
