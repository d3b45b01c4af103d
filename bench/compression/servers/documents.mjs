// What both servers answer with: lists of posts, which a pseudo-random sequence makes different from each other.

let state = 7;
function next() {
  state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
  return state;
}

const words = 'the a quick brown fox jumps over lazy dog and writes about servers that answer'.split(' ');

/** @param {number} count */
function posts(count) {
  return Array.from({ length: count }, () => ({
    id: next(),
    author: `user-${next() % 1000}`,
    title: Array.from({ length: 8 }, () => words[next() % words.length]).join(' '),
  }));
}

/** @type {Readonly<Record<string, unknown>>} */
export const documents = { '2KB': posts(20), '20KB': posts(210), '200KB': posts(2100) };
