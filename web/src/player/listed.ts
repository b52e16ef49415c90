/**
 * Up to where the segments go that one of our manifests lists, in seconds, by the playlist of HLS or by the first track of DASH
 * (pictures, where there are any); null for a manifest that lists none, such as HLS's first one.
 */
export function listedTo(manifest: string): number | null {
  if (manifest.startsWith("#EXTM3U")) {
    const lengths = [...manifest.matchAll(/^#EXTINF:([\d.]+)/gm)];
    return lengths.length ? lengths.reduce((end, [, seconds]) => end + Number(seconds), 0) : null;
  }
  const [, template = "", timeline = ""] = /<SegmentTemplate\b([^>]*)>([^]*?)<\/SegmentTemplate>/.exec(manifest) ?? [];
  const runs = [...timeline.matchAll(/<S\b([^>]*)\/>/g)].map(([, run = ""]) => run);
  const [first] = runs;
  if (first === undefined) return null;
  const ticks = runs.reduce((end, run) => end + number(run, "d") * (number(run, "r") + 1), number(first, "t"));
  return (ticks - number(template, "presentationTimeOffset")) / (number(template, "timescale") || 1);
}

/** An attribute as a number; 0 where it is left out. */
function number(attributes: string, name: string): number {
  return Number(new RegExp(`\\b${name}="(\\d+)"`).exec(attributes)?.[1] ?? 0);
}
