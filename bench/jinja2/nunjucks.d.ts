/** What the bench uses of nunjucks, which brings no types. */
declare module 'nunjucks' {
  interface Loader {
    getSource(name: string): { src: string; path: string; noCache: boolean };
  }

  class Environment {
    constructor(loader: Loader, options: { autoescape: boolean });
    render(name: string, context: object): string;
  }

  const nunjucks: { Environment: typeof Environment };
  export default nunjucks;
}
