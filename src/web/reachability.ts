import { takesAll } from './pattern-steps.ts';
import type { AbstractResource } from './resource.ts';
import { DynamicResource, PlainResource, Resource } from './resource.ts';
import type { Route } from './route.ts';
import { MatchedSubAppResource, PrefixedSubAppResource } from './sub-app-resource.ts';

/**
 * Resources that compete for the same paths share this key: the path of a plain one, the static prefix of the others, and the
 * domain of a rule.
 */
export function competitionKey(resource: AbstractResource): string {
  if (resource instanceof DynamicResource) return `prefix ${resource._pattern.staticPrefix}`;
  if (resource instanceof PrefixedSubAppResource) return `prefix ${resource.canonical}`;
  return `${resource instanceof PlainResource ? 'path' : 'rule'} ${resource.canonical}`;
}

/** What keeps a route from ever being reached: a route, or a sub-application as a whole. */
export type Obstacle = Route | AbstractResource;

/**
 * Whether every request for `method` of `later` goes to `earlier`, which was registered before it under the same {@link competitionKey}.
 * Finds the mistakes that people make (the same path twice, anything behind a catch-all or inside a sub-application), not every case.
 */
export function obstacleFor(
  later: AbstractResource,
  method: string,
  earlier: AbstractResource,
): Obstacle | undefined {
  if (earlier instanceof PrefixedSubAppResource) return earlier;
  if (earlier instanceof MatchedSubAppResource)
    return later instanceof MatchedSubAppResource ? earlier : undefined;
  if (!isCovered(later, earlier)) return undefined;
  return earlier.routes.find((route) => route.method === method || route.method === '*');
}

/** Whether all paths of `later` are paths of `earlier`, as far as it is easy to see. */
export function isCovered(later: AbstractResource, earlier: AbstractResource): boolean {
  if (!(earlier instanceof Resource) || !(later instanceof Resource)) return false;
  if (later._pattern.shape === earlier._pattern.shape) return true;
  if (!(earlier instanceof DynamicResource) || !(later instanceof DynamicResource)) return false;
  const [text, tail, ...more] = earlier._steps;
  const [begin] = later._steps;
  return (
    text?.type === 'literal' &&
    begin?.type === 'literal' &&
    takesAll(tail) &&
    more.length === 0 &&
    begin.text.startsWith(text.text)
  );
}
