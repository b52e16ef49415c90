import assert from "node:assert/strict";
import { test } from "node:test";
import { Speed } from "../src/upload/speed.ts";

test("the speed is that of the last seconds, not of the whole upload", () => {
  const speed = new Speed();
  assert.equal(speed.perSecond, 0);
  for (let second = 0; second <= 20; second += 1) speed.add(second < 10 ? second * 100 : 1000 + (second - 10) * 1000, second * 1000);
  assert.equal(speed.perSecond, 1000);
});

test("a speed is not told from an instant", () => {
  const speed = new Speed();
  speed.add(0, 0);
  speed.add(1_000_000, 100);
  assert.equal(speed.perSecond, 0);
});
