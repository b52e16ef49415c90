import assert from "node:assert/strict";
import { test } from "node:test";
import { exactly, placeOf, written } from "../src/lib/chapter_rows.ts";

test("a time is written as it is read", () => {
  for (const [seconds, text] of [[0, "0:00"], [62.5, "1:02.5"], [3723.125, "1:02:03.125"], [59.9999, "1:00"], [0.05, "0:00.05"]] as const) {
    assert.equal(exactly(seconds), text);
  }
  for (const text of ["0:00", "1:02.5", "75:00", "1:02:03.125"]) assert.equal(placeOf(exactly(placeOf(text) ?? -1)), placeOf(text), text);
  assert.equal(placeOf("0:01,5"), 1.5);
  assert.equal(placeOf("soon"), null);
});

test("lines become chapters, whatever they lack", () => {
  assert.deepEqual(written("0:00 Welcome\r\n\n  1:02:03.5\tThe end, 2:0 \nNo time\n4:30"), [
    { time: "0:00", title: "Welcome" },
    { time: "1:02:03.5", title: "The end, 2:0" },
    { time: "", title: "No time" },
    { time: "4:30", title: "" },
  ]);
  assert.deepEqual(written(" \n"), []);
});
