/** Recorded renders that cannot hold in JavaScript, each with its reason. */
export const differences: Readonly<Record<string, string | undefined>> = {
  'test_filters.py::TestFilter::test_random~2': 'the record depends on the seed of Python’s random generator',
};
