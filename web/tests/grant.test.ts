import assert from "node:assert/strict";
import { test } from "node:test";
import { goodFor, regrant, renewalDelay } from "../src/player/grant.ts";

test("the newest grant takes the place of the old one and nothing else changes", () => {
  assert.equal(
    regrant("https://a.example/s/old.grant/vid/v720/0.m4s?x=/s/1/", "/s/new.grant/vid/manifest.mpd"),
    "https://a.example/s/new.grant/vid/v720/0.m4s?x=/s/1/",
  );
  assert.equal(regrant("https://cdn.example/other/0.m4s", "/s/new/vid/manifest.mpd"), "https://cdn.example/other/0.m4s");
});

test("a grant is renewed well before it ends, and never in a rush", () => {
  const now = new Date("2026-01-01T00:00:00Z");
  const after = (seconds: number) => renewalDelay(new Date(now.getTime() + seconds * 1000), now);
  assert.equal(after(1000), 800_000);
  assert.equal(after(1), 5000);
  assert.equal(after(-60), 5000);
  assert.ok(after(1e9) <= 2 ** 31 - 1);
});

test("a permission out of the browser's history is not taken for a fresh one", () => {
  const now = new Date("2026-01-01T00:00:00Z");
  assert.equal(goodFor({ grant_expires_at: "2026-01-01T00:01:00Z" }, now), 60_000);
  assert.ok(goodFor({ grant_expires_at: "2025-12-31T23:59:00Z" }, now) < 0);
});
