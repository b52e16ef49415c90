// Reads a fragmented MP4 with mp4box.js and says as JSON what it finds about encryption.
import { readFileSync } from "node:fs";
import { createFile } from "mp4box";

const file = createFile();
const bytes = readFileSync(process.argv[2]);
const buffer = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
buffer.fileStart = 0;
file.appendBuffer(buffer);
file.flush();

const within = (box, kind) => box?.boxes?.find((one) => one.type === kind);
const track = file.moov.traks[0];
const entries = track.mdia.minf.stbl.stsd.entries.map((entry) => {
  const sinf = within(entry, "sinf");
  const tenc = within(within(sinf, "schi"), "tenc");
  return {
    kind: entry.type,
    original: within(sinf, "frma")?.data_format,
    scheme: within(sinf, "schm")?.scheme_type,
    kid: tenc?.default_KID,
    ivSize: tenc?.default_Per_Sample_IV_Size,
    pattern: tenc && [tenc.default_crypt_byte_block ?? 0, tenc.default_skip_byte_block ?? 0],
  };
});
const pssh = (file.moov.boxes ?? [])
  .filter((box) => box.type === "pssh")
  .map((box) => ({ system: box.system_id, kids: box.kid }));
const fragments = file.moofs.map((moof) => {
  const [traf] = moof.trafs;
  const [saiz, saio, senc] = ["saiz", "saio", "senc"].map((kind) => within(traf, kind));
  return {
    samples: traf.truns[0].sample_count,
    description: traf.tfhd.default_sample_description_index ?? 0,
    sizes: saiz && (saiz.default_sample_info_size ? Array(saiz.sample_count).fill(saiz.default_sample_info_size) : saiz.sample_info_size),
    offset: saio?.offset[0],
    senc: senc && { at: senc.start - moof.start, size: senc.size },
  };
});
console.log(JSON.stringify({ entries, pssh, fragments }));
