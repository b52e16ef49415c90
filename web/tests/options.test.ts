import assert from "node:assert/strict";
import { test } from "node:test";
import { chapterAt, chapterBeside } from "../src/player/chapters.ts";
import { optionsOf, secondsOf, timeText } from "../src/player/options.ts";
import { newest, worthResuming } from "../src/player/places.ts";
import { timed } from "../src/player/share.ts";

test("a place is read in every way in which links write it", () => {
  for (const [text, seconds] of [["90", 90], ["90s", 90], ["1m30s", 90], ["1M30", 90], ["2h", 7200], ["1h2m3s", 3723], ["1:30", 90], ["1:02:03", 3723], ["0", 0], [" 7.5s ", 7.5]] as const) {
    assert.equal(secondsOf(text), seconds, text);
  }
  for (const nonsense of ["", "soon", "-5", "1:2:3:4", "1e3", "m", "s"]) assert.equal(secondsOf(nonsense), null, nonsense);
});

test("a place is written so that it is read again", () => {
  for (const seconds of [0, 1, 59, 60, 61, 3600, 3661, 86_399]) assert.equal(secondsOf(timeText(seconds)), seconds);
  assert.equal(timeText(90.9), "1m30s");
});

test("an address says how to play", () => {
  const of = (query: string) => optionsOf(new URL(`https://site.example/embed/x${query}`));
  assert.deepEqual(of(""), { at: null, autoplay: false, muted: false, loop: false, captions: null });
  assert.deepEqual(of("?t=1m&autoplay=1&muted&loop=true&cc=de"), { at: 60, autoplay: true, muted: true, loop: true, captions: "de" });
  assert.deepEqual(of("?autoplay=0&muted=false&loop=no&cc=1"), { at: null, autoplay: false, muted: false, loop: false, captions: "on" });
  assert.equal(of("?cc=0").captions, "off");
  assert.equal(of("#t=12").at, 12);
  assert.equal(of("?t=later").at, null);
});

test("links to a place keep the rest of the address", () => {
  assert.equal(timed("https://site.example/embed/x?cc=1", 90), "https://site.example/embed/x?cc=1&t=1m30s");
  assert.equal(timed("https://site.example/watch/x?t=5s", null), "https://site.example/watch/x");
});

test("only a place amid a video is worth coming back to", () => {
  assert.equal(worthResuming(5, 600), false);
  assert.equal(worthResuming(60, 600), true);
  assert.equal(worthResuming(590, 600), false);
  assert.equal(worthResuming(22, 24), false);
});

test("of many places the newest are kept", () => {
  const places = Object.fromEntries([1, 2, 3, 4].map((n) => [`v${n}`, { at: n, noted: n }]));
  assert.deepEqual(Object.keys(newest(places, 2)), ["v4", "v3"]);
});

test("chapters are found by place, before and after it", () => {
  const chapters = [{ start: 0, title: "a" }, { start: 10, title: "b" }, { start: 20, title: "c" }];
  assert.equal(chapterAt(chapters, 15)?.title, "b");
  assert.equal(chapterBeside(chapters, 15, 1)?.title, "c");
  assert.equal(chapterBeside(chapters, 15, -1)?.title, "b");
  assert.equal(chapterBeside(chapters, 11, -1)?.title, "a");
  assert.equal(chapterBeside(chapters, 25, 1), null);
  assert.equal(chapterBeside([], 5, -1), null);
});
