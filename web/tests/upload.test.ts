import assert from "node:assert/strict";
import { test } from "node:test";
import type { Video } from "../src/lib/types.ts";
import { Item } from "../src/upload/item.ts";
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

test("what is changed while an earlier change is on its way is told after it", async () => {
  const sent: unknown[] = [];
  const answers: (() => void)[] = [];
  (globalThis as unknown as { document: unknown }).document = { querySelector: () => null };
  globalThis.fetch = (_path, init) => {
    sent.push(JSON.parse(String(init?.body)));
    return new Promise((answer) => answers.push(() => answer(Response.json({}))));
  };
  const settled = () => new Promise((done) => setImmediate(done));
  const item = new Item({ name: "film.mp4", size: 1, type: "video/mp4" } as File, "private", "none", { endpoint: "", user: "" });
  item.video = { id: "1" } as Video;
  item.title = "A film";
  void item.save();
  item.visibility = "public";
  void item.save();
  void item.save();
  await settled();
  assert.deepEqual(sent, [{ title: "A film", visibility: "public" }]);
  item.title = "A long film";
  void item.save();
  await settled();
  assert.equal(sent.length, 1, "one at a time");
  answers.shift()?.();
  await settled();
  assert.deepEqual(sent.slice(1), [{ title: "A long film", visibility: "public" }]);
  answers.shift()?.();
  await settled();
  assert.equal(sent.length, 2, "nothing is told twice");
});
