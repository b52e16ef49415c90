// Last steps of the build: licences of the code that ships, then .br and .gz twins next to every text file.
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const web = join(dirname(fileURLToPath(import.meta.url)), "..");
const dist = join(web, "dist");

// What ends up in the browser; the build tools do not.
const SHIPPED = ["shaka-player", "tus-js-client", "lucide-static", "uplot", "js-base64", "url-parse", "querystringify", "requires-port"];

function licence(name) {
  const folder = join(web, "node_modules", name);
  const about = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
  const text = file ? readFileSync(join(folder, file), "utf8").trim() : `Licence: ${about.license}`;
  return `${name} ${about.version}\n\n${text}\n`;
}

writeFileSync(join(dist, "licences.txt"), SHIPPED.map(licence).join(`\n${"-".repeat(72)}\n\n`));

const TEXT = /\.(js|css|svg|txt)$/;
const WORTH_IT = 512; // bytes; below this the headers weigh more than the saving

for (const name of readdirSync(dist)) {
  const path = join(dist, name);
  if (!TEXT.test(name) || statSync(path).size < WORTH_IT) continue;
  const bytes = readFileSync(path);
  writeFileSync(`${path}.gz`, gzipSync(bytes, { level: 9 }));
  writeFileSync(`${path}.br`, brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }));
}
