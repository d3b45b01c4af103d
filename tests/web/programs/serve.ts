/** A program for tests of `runApp` in a process of its own. Options come as JSON in the first argument. */
import { web } from '../../../src/index.ts';

interface Options {
  readonly host?: string | string[];
  readonly port?: number;
  readonly path?: string;
  readonly sock?: number;
  readonly shutdownTimeout?: number;
  readonly source?: 'function' | 'promise';
  readonly failStart?: boolean;
  readonly failCleanup?: boolean;
  readonly hangCleanup?: boolean;
  readonly hangStart?: boolean;
}

const { source, failStart, failCleanup, hangCleanup, hangStart, ...options } = JSON.parse(
  process.argv[2] ?? '{}',
) as Options;

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

function makeApp(): web.Application {
  const app = new web.Application();
  let shutDown = (): void => {};
  const isShutDown = new Promise<void>((resolve) => {
    shutDown = resolve;
  });
  app.addRoutes([
    web.get('/', () => new web.Response({ text: 'hello' })),
    web.get('/slow', async () => {
      say('slow: begins');
      await isShutDown;
      await new Promise((resolve) => setTimeout(resolve, 100));
      say('slow: ends');
      return new web.Response({ text: 'slow answer' });
    }),
    web.get('/hang', async () => {
      say('hang: begins');
      return new Promise<web.Response>(() => {});
    }),
    web.get('/exit', () => {
      throw new web.GracefulExit();
    }),
  ]);
  app.cleanupCtx.append(async function* () {
    say('enter');
    yield;
    say('exit');
    if (failCleanup === true) throw new Error('clean-up failed');
  });
  app.onStartup.append(async () => {
    if (failStart === true) throw new Error('start failed');
    if (hangStart === true) {
      say('start hangs');
      await new Promise((resolve) => setTimeout(resolve, 60_000));
    }
  });
  app.onShutdown.append(() => {
    say('shutdown');
    shutDown();
  });
  app.onCleanup.append(async () => {
    if (hangCleanup !== true) return;
    say('clean-up hangs');
    await new Promise((resolve) => setTimeout(resolve, 60_000));
  });
  return app;
}

const app = source === 'function' ? makeApp : source === 'promise' ? Promise.resolve(makeApp()) : makeApp();
await web.runApp(app, { host: '127.0.0.1', port: 0, ...options });
say('returned');
