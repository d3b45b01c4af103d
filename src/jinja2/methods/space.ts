/** A character class of what Python takes for white space: more control characters than JavaScript. */
export const SPACE: string = '[\\s\\x1c-\\x1f\\x85]';

/** One or more of them. */
export const SPACES: RegExp = new RegExp(`${SPACE}+`, 'u');
