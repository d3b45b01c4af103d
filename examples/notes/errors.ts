// What goes wrong, for people as a page and for programs as JSON.

import * as jinja2 from 'aiohttp-ts/jinja2';
import * as web from 'aiohttp-ts/web';
import type { Problems } from './input.ts';

/** 422: the JSON is fine, what it says is not. */
export class InvalidInput extends web.HTTPUnprocessableEntity {
  readonly problems: Problems;

  constructor(problems: Problems) {
    super({ text: Object.values(problems).join(' ') });
    this.problems = problems;
  }
}

/** Answers every HTTP exception of 400 and above. Other errors are the server's own: it logs them and answers 500. */
export const errorPages: web.Middleware = async (request, handler) => {
  try {
    return await handler(request);
  } catch (error) {
    if (!(error instanceof web.HTTPException) || error.status < 400) throw error;
    const answer = await answerTo(request, error);
    for (const [name, value] of error.headers) {
      if (!answer.headers.has(name)) answer.headers.set(name, value);
    }
    return answer;
  }
};

async function answerTo(request: web.Request, error: web.HTTPException): Promise<web.Response> {
  if (request.path === '/api' || request.path.startsWith('/api/')) {
    const { status } = error;
    const problems = error instanceof InvalidInput ? { problems: error.problems } : {};
    return web.jsonResponse({ error: { status, message: messageOf(error), ...problems } }, { status });
  }
  if (error.status === 401) {
    // 303 and not 307: what comes back after the login is looked at, not sent again.
    const next = request.method === 'GET' ? `?${new URLSearchParams({ next: request.pathQs })}` : '';
    return new web.HTTPSeeOther(`/login${next}`).toResponse();
  }
  const { status, reason } = error;
  const context = { status, reason, message: messageOf(error) };
  return jinja2.renderTemplateAsync('error.html', request, context, { status });
}

/** The text that was written for this case, or a sentence for the status. */
function messageOf(error: web.HTTPException): string {
  const { text, status, reason } = error;
  if (text !== undefined && !text.startsWith(`${status}: `)) return text;
  return sentences[status] ?? text ?? reason;
}

const sentences: Readonly<Record<number, string>> = {
  401: 'Log in, or send a token.',
  403: 'This is not yours to change.',
  404: 'There is nothing here.',
  405: 'This cannot be done here.',
  413: 'This is too much at once.',
  429: 'Too many attempts. Wait a little and try again.',
  503: 'The site is busy. Try again in a moment.',
};
