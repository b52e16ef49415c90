import assert from "node:assert/strict";
import { test } from "node:test";
import { ago, bytes, clock, localMinute, percent, titleFrom } from "../src/lib/format.ts";

test("a length shows hours only where there are any", () => {
  assert.equal(clock(0), "0:00");
  assert.equal(clock(7.9), "0:07");
  assert.equal(clock(754), "12:34");
  assert.equal(clock(3723), "1:02:03");
  assert.equal(clock(Number.NaN), "0:00");
  assert.equal(clock(Infinity), "0:00");
});

test("a size has at most four characters of number, in decimal units", () => {
  assert.equal(bytes(0), "0 bytes");
  assert.equal(bytes(999), "999 bytes");
  assert.equal(bytes(1000), "1.0 kB");
  assert.equal(bytes(999_499), "999 kB");
  assert.equal(bytes(999_999), "1.0 MB");
  assert.equal(bytes(214_748_364_800), "215 GB");
});

test("nothing is 100 % before it is done", () => {
  assert.equal(percent(0), "0 %");
  assert.equal(percent(0.999), "99 %");
  assert.equal(percent(1), "100 %");
  assert.equal(percent(-1), "0 %");
});

test("the past is told in the largest unit that fits", () => {
  const now = new Date("2026-06-15T12:00:00Z");
  const before = (seconds: number) => ago(new Date(now.getTime() - seconds * 1000), now);
  assert.equal(before(5), "just now");
  assert.equal(before(60), "1 minute ago");
  assert.equal(before(3600), "1 hour ago");
  assert.equal(before(7200), "2 hours ago");
  assert.equal(before(86_400), "yesterday");
  assert.equal(before(86_400 * 7), "last week");
  assert.equal(before(86_400 * 31), "last month");
  assert.equal(before(86_400 * 400), "last year");
  assert.equal(before(86_400 * 1200), "3 years ago");
});

test("a file name becomes a title", () => {
  assert.equal(titleFrom("My_holiday__2026.final.mp4"), "My holiday 2026.final");
  assert.equal(titleFrom(".mp4"), ".mp4");
  assert.equal(titleFrom("no extension"), "no extension");
});

test("a time for a field is that of the reader's own zone, and comes back as the same moment", () => {
  const at = new Date("2099-01-31T18:30:00Z");
  assert.equal(new Date(localMinute(at)).getTime(), at.getTime());
});
