import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type BreakerState, CircuitBreaker } from '../../src/redis/breaker.ts';

function breakerWithClock() {
  const states: BreakerState[] = [];
  const clock = { time: 1000 };
  const breaker = new CircuitBreaker(
    2,
    100,
    () => clock.time,
    (state) => states.push(state),
  );
  return { breaker, clock, states };
}

describe('a circuit breaker', () => {
  test('opens after so many failures in a row', () => {
    const { breaker } = breakerWithClock();
    breaker.failed();
    breaker.succeeded();
    breaker.failed();
    assert.equal(breaker.allows(), true);
    breaker.failed();
    assert.equal(breaker.allows(), false);
  });

  test('lets one through after a while, and closes when it succeeds', () => {
    const { breaker, clock, states } = breakerWithClock();
    breaker.failed();
    breaker.failed();
    clock.time += 99;
    assert.equal(breaker.allows(), false);
    clock.time += 1;
    assert.deepEqual([breaker.allows(), breaker.allows()], [true, false]);
    breaker.failed();
    assert.equal(breaker.allows(), false);
    clock.time += 100;
    assert.deepEqual([breaker.allows(), breaker.allows()], [true, false]);
    breaker.succeeded();
    assert.deepEqual([breaker.allows(), breaker.allows()], [true, true]);
    assert.deepEqual(states, ['open', 'half-open', 'open', 'half-open', 'closed']);
  });

  test('closes when an answer comes after all', () => {
    const { breaker } = breakerWithClock();
    breaker.failed();
    breaker.failed();
    breaker.succeeded();
    assert.equal(breaker.state, 'closed');
  });
});
