import assert from "node:assert/strict";
import { test } from "node:test";
import { listedTo } from "../src/player/listed.ts";

const HEAD = '<MPD type="dynamic"><Period><AdaptationSet><Representation id="v180">';
const TAIL = "</Representation></AdaptationSet></Period></MPD>";

function mpd(template: string, runs: string): string {
  return `${HEAD}<SegmentTemplate ${template} media="$Time$.m4s"><SegmentTimeline>${runs}</SegmentTimeline></SegmentTemplate>${TAIL}`;
}

test("the end of a DASH timeline", () => {
  assert.equal(listedTo(mpd('timescale="100"', '<S t="0" d="400"/>')), 4);
  assert.equal(listedTo(mpd('timescale="100"', '<S t="0" d="400" r="2"/><S d="50"/>')), 12.5);
  assert.equal(listedTo(mpd('timescale="100" presentationTimeOffset="200"', '<S t="200" d="400"/>')), 4);
});

test("the track that ends first counts", () => {
  const pictures = mpd('timescale="10"', '<S t="0" d="40" r="1"/>');
  const sound = mpd('timescale="48000"', '<S t="0" d="192512"/>');
  assert.equal(listedTo(pictures + sound)?.toFixed(3), "4.011");
  assert.equal(listedTo(sound + pictures)?.toFixed(3), "4.011");
});

test("an HLS playlist, which knows nothing of the others", () => {
  assert.equal(listedTo("#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4.00000,\n0.m4s\n#EXTINF:3.5,\n1.m4s\n"), 3.5);
  assert.equal(listedTo("#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:3.5,\n0.m4s\n"), 0);
});

test("manifests that list no segments", () => {
  assert.equal(listedTo("#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nv180/playlist.m3u8\n"), null);
  assert.equal(listedTo(HEAD + TAIL), null);
});
