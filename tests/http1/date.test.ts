import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DateLine } from '../../src/http1/index.ts';

test('the Date line is made anew once a second (RFC 9110 §5.6.7)', () => {
  const date = new DateLine(784_111_777_000);
  assert.equal(date.line, 'Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n');
  const { line } = date;
  date.refresh(784_111_777_999);
  assert.equal(date.line, line);
  date.refresh(784_111_778_000);
  assert.equal(date.line, 'Date: Sun, 06 Nov 1994 08:49:38 GMT\r\n');
  date.refresh(784_111_777_000); // a clock that was set back
  assert.equal(date.line, line);
});
