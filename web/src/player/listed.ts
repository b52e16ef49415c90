/**
 * Up to where one of our manifests lists both pictures and sound, in seconds; null for one that lists no segments, such as HLS's
 * first one. Sound that goes on behind the last picture is listed later, so it may end up to a segment before: in DASH the track
 * that ends first counts, and an HLS playlist, which knows nothing of the others, goes less far by its longest segment.
 */
export function listedTo(manifest: string): number | null {
  if (manifest.startsWith("#EXTM3U")) {
    const lengths = [...manifest.matchAll(/^#EXTINF:([\d.]+)/gm)];
    const target = Number(/^#EXT-X-TARGETDURATION:(\d+)/m.exec(manifest)?.[1] ?? 0);
    return lengths.length ? Math.max(0, lengths.reduce((end, [, seconds]) => end + Number(seconds), -target)) : null;
  }
  const tracks = [...manifest.matchAll(/<SegmentTemplate\b([^>]*)>([^]*?)<\/SegmentTemplate>/g)];
  return tracks.length ? Math.min(...tracks.map(([, template = "", timeline = ""]) => end(template, timeline))) : null;
}

/** Where a timeline of DASH ends, in seconds. */
function end(template: string, timeline: string): number {
  const runs = [...timeline.matchAll(/<S\b([^>]*)\/>/g)].map(([, run = ""]) => run);
  const ticks = runs.reduce((at, run) => at + number(run, "d") * (number(run, "r") + 1), number(runs[0] ?? "", "t"));
  return (ticks - number(template, "presentationTimeOffset")) / (number(template, "timescale") || 1);
}

/** An attribute as a number; 0 where it is left out. */
function number(attributes: string, name: string): number {
  return Number(new RegExp(`\\b${name}="(\\d+)"`).exec(attributes)?.[1] ?? 0);
}
