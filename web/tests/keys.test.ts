import assert from "node:assert/strict";
import { test } from "node:test";
import { actOf } from "../src/player/keys.ts";

const press = (key: string, modifiers: Partial<KeyboardEvent> = {}) =>
  actOf({ key, ctrlKey: false, metaKey: false, altKey: false, shiftKey: false, ...modifiers });

test("keys do what the list of shortcuts promises", () => {
  assert.deepEqual(press(" "), { do: "toggle" });
  assert.deepEqual(press("k"), { do: "toggle" });
  assert.deepEqual(press("J"), { do: "skip", seconds: -10 });
  assert.deepEqual(press("l"), { do: "skip", seconds: 10 });
  assert.deepEqual(press("ArrowLeft"), { do: "skip", seconds: -5 });
  assert.deepEqual(press("ArrowUp"), { do: "volume", by: 0.05 });
  assert.deepEqual(press("0"), { do: "jump", fraction: 0 });
  assert.deepEqual(press("7"), { do: "jump", fraction: 0.7 });
  assert.deepEqual(press("?"), { do: "shortcuts" });
  assert.deepEqual(press("c"), { do: "captions" });
  assert.deepEqual(press("<"), { do: "speed", by: -1 });
  assert.deepEqual(press("t"), { do: "theatre" });
  assert.deepEqual(press("m"), { do: "mute" });
  assert.deepEqual(press("F"), { do: "fullscreen" });
  assert.deepEqual(press("i"), { do: "pip" });
  assert.deepEqual(press("s"), { do: "share" });
  assert.deepEqual(press("]"), { do: "chapter", by: 1 });
  assert.deepEqual(press("N", { shiftKey: true }), { do: "next" });
  assert.equal(press("n"), null);
});

test("the browser's own shortcuts and other keys are left alone", () => {
  assert.equal(press("f", { ctrlKey: true }), null);
  assert.equal(press("l", { metaKey: true }), null);
  assert.equal(press("1", { altKey: true }), null);
  assert.equal(press("Tab"), null);
  assert.equal(press("q"), null);
});
