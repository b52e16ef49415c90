// tus-js-client, driven by a test: one JSON object on the command line, one JSON line for each thing that happens.
import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import { Upload } from 'tus-js-client';

const order = JSON.parse(process.argv[2]);
const say = (event, facts = {}) => process.stdout.write(`${JSON.stringify({ event, ...facts })}\n`);
const offsets = [];
let ended = false;
let video = null;
let restarts = order.restarts ?? 0;

const options = {
  endpoint: order.endpoint,
  headers: { Authorization: `Bearer ${order.token}` },
  metadata: order.metadata ?? {},
  chunkSize: order.chunkSize ?? Number.POSITIVE_INFINITY,
  retryDelays: order.retryDelays ?? [200, 500, 1000, 1000, 2000, 2000, ...Array(40).fill(3000)],
  uploadDataDuringCreation: order.dataDuringCreation ?? false,
  parallelUploads: order.parallelUploads ?? 1,
  uploadLengthDeferred: order.deferLength ?? false,
  uploadUrl: order.uploadUrl ?? null,
  onProgress: (sent) => {
    if (offsets.length === 0 || sent - offsets.at(-1) > 1_000_000) {
      offsets.push(sent);
      say('progress', { sent });
    }
  },
  onUploadUrlAvailable: () => say('url', { url: upload.url }),
  onShouldRetry: (error) => {
    const status = error.originalResponse ? error.originalResponse.getStatus() : 0;
    say('retry', { status, message: String(error.message).slice(0, 200) });
    return status < 400 || status >= 500 || status === 409 || status === 423;
  },
  onAfterResponse: (_request, response) => {
    video = response.getHeader('Streamhost-Video') ?? video;
  },
  onError: (error) => {
    say('error', { message: String(error.message) });
    // It does not retry the request that joins parts: people press the button again, which goes on where it stopped.
    if (restarts-- > 0) setTimeout(() => upload.start(), 500);
    else process.exitCode = 1;
  },
  onSuccess: () => {
    ended = true;
    say('success', { url: upload.url, video });
  },
};

const source = order.deferLength ? Readable.from(slowly(order.file)) : createReadStream(order.file);

async function* slowly(path) {
  for await (const piece of createReadStream(path, { highWaterMark: 512 * 1024 })) yield piece;
}

const upload = new Upload(source, options);
upload.start();

if (order.terminateAfter) {
  const watch = setInterval(async () => {
    if (ended) clearInterval(watch);
    else if (upload.url && offsets.length > 0 && offsets.at(-1) >= order.terminateAfter) {
      clearInterval(watch);
      await upload.abort(true);
      say('terminated', { url: upload.url });
    }
  }, 5);
}
