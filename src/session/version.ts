import { randomBytes } from 'node:crypto';

/** Sets this process apart from every other that writes versions. */
const writer = randomBytes(9).toString('base64url');
let writes = 0;

/** A version that no other write has, in any process: letters, digits, `-` and `_`. */
export function nextVersion(): string {
  return writer + (++writes).toString(36);
}
