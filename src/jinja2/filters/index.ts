import type { NativeFilter } from '../callables.ts';
import { htmlFilters } from './html.ts';
import { numberFilters } from './numbers.ts';
import { sequenceFilters } from './sequences.ts';
import { textFilters } from './text.ts';

const filters: Record<string, NativeFilter> = {
  ...textFilters,
  ...sequenceFilters,
  ...numberFilters,
  ...htmlFilters,
};

/** The filters that every environment has. */
export const builtInFilters: Readonly<Record<string, NativeFilter>> = {
  ...filters,
  count: filters['length'] as NativeFilter,
  d: filters['default'] as NativeFilter,
  e: filters['escape'] as NativeFilter,
};
