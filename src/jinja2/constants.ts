import type { Expression } from './nodes.ts';
import { childrenOf } from './scope.ts';

/** What decides whether an operation can be computed before a template runs. */
export interface Folding {
  folds(kind: 'filter' | 'test', name: string): boolean;
  intercepts(operator: string, isUnary: boolean): boolean;
}

/** True for an expression that Jinja2 computes when it compiles: no names and no calls, and no filter that looks at the render. */
export function isConstant(node: Expression, folding: Folding): boolean {
  switch (node.type) {
    case 'name':
    case 'call':
    case 'safe':
      return false;
    case 'filter':
    case 'test':
      if (node.input === undefined || !folding.folds(node.type, node.name)) return false;
      break;
    case 'binary':
      if (folding.intercepts(node.operator, false)) return false;
      break;
    case 'unary':
      if (folding.intercepts(node.operator, true)) return false;
      break;
    default:
  }
  for (const child of childrenOf(node)) if (!isConstant(child, folding)) return false;
  return true;
}
