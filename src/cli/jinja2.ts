import { rename, rm, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import {
  compileTemplates,
  Environment,
  type ExtensionName,
  FileSystemLoader,
  TemplateSyntaxError,
} from '../jinja2/index.ts';

/** One line for people who ask. */
export const jinja2Usage: string =
  'aiohttp-ts jinja2 compile DIR -o OUT [--extension NAME]… [--ending html]… [--stream] [--trim-blocks] [--lstrip-blocks] [--no-autoescape]';

interface Arguments {
  readonly folder: string;
  readonly output: string;
  readonly extensions: readonly ExtensionName[];
  readonly endings: readonly string[] | undefined;
  readonly streams: boolean;
  readonly trimBlocks: boolean;
  readonly lstripBlocks: boolean;
  readonly autoescape: false | undefined;
}

/**
 * Compiles the templates of a folder to one ES module for `CompiledLoader`, so that nothing is compiled where it runs.
 *
 * @returns exit code: 0, 1 when a template is wrong or a file cannot be read or written, 2 for a wrong command line
 */
export async function jinja2(args: readonly string[]): Promise<number> {
  let given: Arguments;
  try {
    given = readArguments(args);
  } catch (error) {
    process.stderr.write(`${messageOf(error)}\nUsage: ${jinja2Usage}\n`);
    return 2;
  }
  try {
    const count = await compile(given);
    process.stderr.write(`${given.output}: ${count} template${count === 1 ? '' : 's'}\n`);
    return 0;
  } catch (error) {
    // A mistake in a template is shown with its line, not with our stack.
    const text =
      error instanceof TemplateSyntaxError
        ? String(error.stack).replace(/\n\s+at [\s\S]*$/, '')
        : messageOf(error);
    process.stderr.write(`${text}\n`);
    return 1;
  }
}

function readArguments(args: readonly string[]): Arguments {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      output: { type: 'string', short: 'o' },
      extension: { type: 'string', multiple: true },
      ending: { type: 'string', multiple: true },
      stream: { type: 'boolean' },
      'trim-blocks': { type: 'boolean' },
      'lstrip-blocks': { type: 'boolean' },
      'no-autoescape': { type: 'boolean' },
    },
  });
  const [action, folder, ...more] = positionals;
  if (action !== 'compile' || folder === undefined || more.length > 0)
    throw new TypeError("'compile' and one folder are expected.");
  if (values.output === undefined) throw new TypeError('-o says which file is written.');
  return {
    folder,
    output: values.output,
    extensions: (values.extension ?? []) as ExtensionName[],
    endings: values.ending,
    streams: values.stream === true,
    trimBlocks: values['trim-blocks'] === true,
    lstripBlocks: values['lstrip-blocks'] === true,
    autoescape: values['no-autoescape'] === true ? false : undefined,
  };
}

/** Writes the module under a temporary name first, so that nobody loads half of it. */
async function compile(given: Arguments): Promise<number> {
  const { trimBlocks, lstripBlocks, extensions, autoescape } = given;
  const environment = new Environment({
    loader: new FileSystemLoader(given.folder),
    trimBlocks,
    lstripBlocks,
    extensions,
    ...(autoescape !== undefined && { autoescape }),
  });
  const names = environment.listTemplates(given.endings);
  const code = await compileTemplates(environment, {
    names,
    variants: given.streams ? ['sync', 'async', 'syncStream', 'asyncStream'] : ['sync', 'async'],
  });
  const temporary = `${given.output}.${process.pid}.part`;
  try {
    await writeFile(temporary, code, { flag: 'wx' });
    await rename(temporary, given.output);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  return names.length;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
