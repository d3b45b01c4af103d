import { Response } from './response.ts';

const TITLE = '500 Internal Server Error';
const TEXT = 'Server got itself in trouble';
const HTML = `<html><head><title>${TITLE}</title></head><body>\n<h1>${TITLE}</h1>\n${TEXT}\n</body></html>\n`;

/** What a client learns of a failure that nobody expected: nothing. HTML for those who accept it. */
export function serverErrorPage(accept: string | undefined): Response {
  const html = accept?.includes('text/html') ?? false;
  return new Response(
    html
      ? { status: 500, text: HTML, contentType: 'text/html' }
      : { status: 500, text: `${TITLE}\n\n${TEXT}` },
  );
}

/** The handler ran into a time limit. */
export function timeoutPage(): Response {
  return new Response({ status: 504, contentType: 'text/plain' });
}
