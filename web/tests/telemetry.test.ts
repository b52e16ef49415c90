import assert from "node:assert/strict";
import { test } from "node:test";
import { Outbox, type Report } from "../src/player/telemetry.ts";

// The timers of a page, moved on by hand.
const timers: (() => void)[] = [];
(globalThis as unknown as { window: unknown }).window = {
  setTimeout: (does: () => void) => timers.push(does),
  clearTimeout: (number: number) => {
    if (number) timers[number - 1] = () => undefined;
  },
};

async function tick(): Promise<void> {
  const due = timers.splice(0);
  // Numbers are places in the list: it must not shrink.
  for (const does of due) does();
  for (let n = 0; n < 10; n += 1) await Promise.resolve();
}

function box(statuses: number[]): { out: Outbox; sent: Report[][]; lasts: boolean[] } {
  const sent: Report[][] = [];
  const lasts: boolean[] = [];
  const out = new Outbox(
    (events) => JSON.stringify(events),
    async (body, last) => {
      sent.push(JSON.parse(body) as Report[]);
      lasts.push(last);
      return statuses.shift() ?? 202;
    },
  );
  return { out, sent, lasts };
}

const report = { type: "progress" as const, at: 1 };

test("reports go out numbered, together, and once", async () => {
  const { out, sent } = box([202]);
  for (let n = 0; n < 3; n += 1) out.add(report);
  await tick();
  assert.deepEqual(sent.map((batch) => batch.map((one) => one.seq)), [[0, 1, 2]]);
  await tick();
  assert.equal(sent.length, 1);
});

test("what was not taken goes out again with the same numbers, and what was refused does not", async () => {
  const { out, sent } = box([503, 0, 202, 404]);
  out.add(report);
  await tick();
  await tick();
  await tick();
  assert.deepEqual(sent.map((batch) => batch.map((one) => one.seq)), [[0], [0], [0]]);
  out.add(report);
  await tick();
  await tick();
  assert.deepEqual(sent.at(-1)?.map((one) => one.seq), [1]);
  assert.equal(sent.length, 4);
});

test("a page that is left sends what waits by a beacon, and again if it stays after all", async () => {
  const { out, sent, lasts } = box([]);
  out.add(report);
  out.flush();
  assert.deepEqual(lasts, [true]);
  await tick();
  assert.deepEqual(sent.map((batch) => batch.map((one) => one.seq)), [[0], [0]]);
  assert.deepEqual(lasts, [true, false]);
  out.add(report);
  out.end();
  await tick();
  assert.deepEqual(sent.at(-1)?.map((one) => one.seq), [1]);
  assert.equal(sent.length, 3);
});

test("a server that is away for long costs the page no more than so many reports", async () => {
  const { out, sent } = box(Array.from({ length: 1000 }, () => 0));
  out.add({ type: "start", at: 0 });
  for (let n = 0; n < 1000; n += 1) out.add(report);
  await tick();
  assert.equal(sent[0]?.[0]?.type, "start", "what matters most stays");
});
