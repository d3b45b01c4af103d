import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { findDanger } from '../../src/web/regex-safety.ts';
import { parseRegex, type RegexNode, RegexSyntaxError, regexSource } from '../../src/web/regex-syntax.ts';

describe('proved safe', () => {
  for (const pattern of [
    '\\d+',
    '[^{}/]+',
    '\\d{3}',
    '\\d{2,5}',
    '.+',
    '.*',
    '[a-z0-9-]+\\.html',
    '(?:en|de)',
    'en|de',
    '(?:en|de)(?:-[A-Z]{2})?',
    '\\d{4}-\\d{2}-\\d{2}',
    '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}',
    '[0-9a-fA-F]{64}',
    '\\w{1,255}',
    '(?:[a-z0-9-]+\\.)+[a-z]{2,}',
    '(?:a|b)*',
    '(?:ab|ac)*',
    '(?:\\d+,)*\\d+',
    'v?\\d+(?:\\.\\d+){0,2}',
    '\\d+(?:\\.\\d+)?',
    '[^.]+\\.(?:png|jpe?g|gif)',
    '.+\\.(?:png|jpe?g|gif)',
    '.*-.*',
    '[a-z]+(?:-[a-z]+)*',
    '(?:[a-z]+/)*[a-z]+',
    '\\p{L}+',
    '[\\p{L}-]+\\.\\d+',
    '(?:)',
    'a?b?c?',
    '\\d{1,3}\\d{1,3}',
    '(?:a|ab)c',
  ]) {
    test(pattern, () => assert.equal(findDanger(parseRegex(pattern)), undefined));
  }
});

describe('refused', () => {
  for (const [pattern, problem] of [
    ['(a+)+', /'\(a\+\)\+' repeats 'a\+', which repeats itself.*Repeat once/],
    ['(a*)*', /repeats something that may be empty/],
    ['(a?)+', /'\(a\?\)\+' repeats something that may be empty, 'a\?'/],
    ['(?:|a)*', /may be empty/],
    ['(?:a|a)*', /alternatives in '\(\?:a\|a\)\*' can match the same text/],
    ['(?:a|ab|b)*', /alternatives/],
    ['(?:\\w|\\d)+', /alternatives/],
    ['(?:[a-z]+-?)+', /which repeats itself/],
    ['(?:\\w+\\s?)*', /which repeats itself/],
    ['([a-z]+)*\\d', /which repeats itself/],
    ['\\d+\\d+', /'\\d\+' and '\\d\+' can match the same characters/],
    ['\\d*1\\d*x', /can match the same characters/],
    ['[a-z]+[a-f]+', /can match the same characters/],
    ['.*a.*b', /can match the same characters/],
    ['\\w{2,}\\w{2,}', /can match the same characters/],
    ['\\w{2,400}\\w{2,400}', /can match the same characters/],
    ['\\p{L}+\\w+', /can match the same characters/],
    ['(?:a|aa){40}', /can match the same/],
    ['(?:a?){40}', /can match the same|may be empty/],
    ['a?a?a?a?a?a?a?a?a?a?a?a?', /many of its parts can match the same text/],
    ['(?:a{1,3}){1,100}', /.*/],
    ['(?:.*[a-m].{12})x', /.*/],
    [`(?:${'abcdefghij'.repeat(80)})`, /too long/],
  ] as const) {
    test(pattern.slice(0, 40), () => {
      const danger = findDanger(parseRegex(pattern));
      assert.ok(danger !== undefined);
      assert.match(danger.problem, problem);
    });
  }
});

describe('syntax', () => {
  for (const [pattern, problem] of [
    ['^a', /'\^' is not needed/],
    ['a$', /'\$' is not needed/],
    ['(?=a)', /look-ahead/],
    ['(?<!a)', /look-behind/],
    ['(?<n>a)', /a named group is not supported/],
    ['(?P<n>a)', /a named group is not supported/],
    ['(?i)a', /'\(\?i' is not supported/],
    ['(a)\\1', /back-reference '\\1'/],
    ['\\ba', /'\\b' is not supported/],
    ['\\k<n>', /'\\k' is not supported/],
    ['(', /missing '\)'/],
    [')', /unmatched '\)'/],
    ['a)', /unmatched '\)'/],
    ['[a', /missing '\]'/],
    ['[', /missing '\]'/],
    ['[\\', /'\\' at the end/],
    ['\\', /'\\' at the end/],
    ['[]', /matches no character, so the route could never match/],
    ['[z-a]', /range out of order/],
    ['[a-\\d]', /a range needs a character at both ends/],
    ['*', /nothing to repeat before '\*'/],
    ['a**', /nothing to repeat before '\*'/],
    ['a+{2}', /nothing to repeat before '\{'/],
    ['a++', /possessive/],
    ['a{', /'\{' must begin a repetition/],
    ['a{2,1}', /numbers out of order/],
    ['a{99999}', /repeats more than 10000 times/],
    ['{2}', /nothing to repeat/],
    ['\\p{Nope}', /no Unicode property/],
    ['\\pL', /no Unicode property/],
    ['('.repeat(60), /nested more than 50 deep/],
  ] as const) {
    test(`refused: ${pattern.slice(0, 20)}`, () => {
      assert.throws(
        () => parseRegex(pattern),
        (error: Error) => error instanceof RegexSyntaxError && problem.test(error.message),
      );
    });
  }

  test('means what JavaScript means', () => {
    const texts = [
      '',
      'a',
      'b',
      'ab',
      'aab',
      'A',
      '0',
      '_',
      '-',
      ']',
      '/',
      '.',
      '\n',
      '\t',
      ' ',
      '\u2028',
      'é',
      'я',
      '😀',
      'x7',
      '\0',
      '^',
    ];
    for (const pattern of [
      '.',
      '\\w',
      '\\W',
      '\\d',
      '\\D',
      '\\s',
      '\\S',
      '[^]',
      '[^a]',
      '[a-c_]',
      '[\\w-]',
      '[-a]',
      '[^\\d\\s]',
      '[\\]^]',
      '[\\x61-\\u0063]',
      '\\u{1F600}',
      '[\\t\\n\\0]',
      '\\.',
      '\\/',
      'a|b',
      'a|',
      'a*b',
      'a{2}b?',
      'a{1,}?b',
      '(?:a|b)+',
      '(a|b){2,3}',
      '\\p{L}+',
      '\\P{L}',
      '[^\\p{L}]',
      'a\\-b',
    ]) {
      const ours = new RegExp(`^(?:${regexSource(parseRegex(pattern))})$`, 'u');
      const theirs = new RegExp(`^(?:${pattern.replace('\\-', '-')})$`, 'us');
      for (const text of texts)
        assert.equal(ours.test(text), theirs.test(text), `${pattern} on ${JSON.stringify(text)}`);
    }
  });
});

/** How many characters a backtracking matcher looks at before it has refused `text` followed by an end that never comes. */
function effort(node: RegexNode, text: string): number {
  let steps = 0;
  const match = (part: RegexNode, at: number, next: (at: number) => boolean): boolean => {
    if (steps > 300_000) return true;
    switch (part.type) {
      case 'set':
        steps++;
        return at < text.length && part.set.has(text.charCodeAt(at)) && next(at + 1);
      case 'sequence': {
        const from = (index: number, here: number): boolean => {
          const item = part.items[index];
          return item === undefined ? next(here) : match(item, here, (after) => from(index + 1, after));
        };
        return from(0, at);
      }
      case 'choice':
        return part.options.some((option) => match(option, at, next));
      case 'repeat': {
        const again = (count: number, here: number): boolean => {
          const more = (): boolean =>
            count < part.max &&
            match(part.body, here, (after) => (after > here || count < part.min) && again(count + 1, after));
          if (part.lazy) return (count >= part.min && next(here)) || more();
          return more() || (count >= part.min && next(here));
        };
        return again(0, at);
      }
    }
  };
  match(node, 0, () => false);
  return steps;
}

test('what is accepted never takes more than linear time', () => {
  const letter = fc.constantFrom('a', 'b', 'c', '[ab]', '[^a]', '[bc]');
  const { pattern } = fc.letrec<{ pattern: string }>((tie) => ({
    pattern: fc.oneof(
      { maxDepth: 4, depthSize: 'medium' },
      letter,
      fc.array(tie('pattern'), { minLength: 2, maxLength: 3 }).map((parts) => parts.join('')),
      fc.array(tie('pattern'), { minLength: 2, maxLength: 3 }).map((parts) => `(?:${parts.join('|')})`),
      fc
        .tuple(tie('pattern'), fc.constantFrom('*', '+', '?', '*?', '{2}', '{1,3}', '{0,300}', '{2,}'))
        .map(([part, times]) => `(?:${part})${times}`),
    ),
  }));
  const word = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 4 });
  const pump = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), minLength: 1, maxLength: 4 });
  let accepted = 0;
  fc.assert(
    fc.property(
      pattern,
      fc.array(fc.tuple(word, pump, word), { minLength: 12, maxLength: 12 }),
      (source, words) => {
        const node = parseRegex(source);
        if (findDanger(node) !== undefined) return;
        accepted++;
        for (const [before, part, after] of words) {
          const [short, long] = [60, 180].map((times) => effort(node, before + part.repeat(times) + after));
          assert.ok(
            long! <= 3.5 * short! + 3_000,
            `${source} on ${before}(${part})*${after}: ${short} steps, then ${long}`,
          );
        }
      },
    ),
    { seed: 21330, numRuns: 2_000, endOnFailure: true },
  );
  assert.ok(accepted > 500, `only ${accepted} patterns were accepted`);
});
