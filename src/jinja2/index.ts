/** Jinja2 templates for TypeScript; see `docs/jinja2.md`. */
export { type CompileOptions, compileTemplates } from './ahead-of-time.ts';
export { type AutoescapeOptions, type AutoescapePolicy, selectAutoescape } from './autoescape.ts';
export {
  type Filter,
  type FilterFunction,
  type NativeFilter,
  passContext,
  passEnvironment,
  passEvalContext,
  type Test,
  type TestFunction,
} from './callables.ts';
export { Context, EvalContext } from './context.ts';
export { Environment, type EnvironmentOptions, type Policies } from './environment.ts';
export {
  FilterArgumentError,
  LookupError,
  OverflowError,
  PythonRuntimeError,
  RecursionError,
  SecurityError,
  TemplateAssertionError,
  TemplateError,
  type TemplateFrame,
  TemplateNotFound,
  TemplateRuntimeError,
  TemplateSyntaxError,
  TemplatesNotFound,
  TemplateTypeError,
  UndefinedError,
  ValueError,
  ZeroDivisionError,
} from './errors.ts';
export type { Extension } from './extension.ts';
export { installTranslations, type Translations } from './i18n.ts';
export type { SandboxLimits } from './limits.ts';
export {
  ChoiceLoader,
  CompiledLoader,
  type CompiledModule,
  DictLoader,
  FileSystemLoader,
  type FileSystemLoaderOptions,
  FunctionLoader,
  type Loader,
  type LoadFunction,
  PackageLoader,
  PrefixLoader,
  type Source,
} from './loaders.ts';
export { Markup } from './markup.ts';
export { findReferencedTemplates, findUndeclaredVariables } from './meta.ts';
export type { ExtensionName } from './named-extensions.ts';
export { escape } from './printing.ts';
export {
  allowInSandbox,
  ImmutableSandboxedEnvironment,
  SandboxedEnvironment,
  type SandboxOptions,
  unsafe,
} from './sandbox.ts';
export type { Syntax } from './syntax.ts';
export { Template, TemplateModule, type Variables } from './template.ts';
export {
  ChainableUndefined,
  DebugUndefined,
  makeLoggingUndefined,
  StrictUndefined,
  Undefined,
  type UndefinedClass,
  type UndefinedOptions,
} from './undefined.ts';
export { Dict, Float, Range, Tuple } from './values.ts';
export {
  appKey,
  type ContextProcessor,
  contextProcessors,
  type Engine,
  getEnv,
  type Renderer,
  type RenderOptions,
  type ResponseOptions,
  renderString,
  renderStringAsync,
  renderTemplate,
  renderTemplateAsync,
  requestProcessor,
  type SetupOptions,
  setup,
  staticRootKey,
  type TemplateDecorator,
  type TemplateHandler,
  template,
} from './web.ts';
