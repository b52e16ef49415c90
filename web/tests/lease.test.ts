import assert from "node:assert/strict";
import { test } from "node:test";
import { Lease } from "../src/desk/lease.ts";

/** A page of a case, what it asks the server, and how it is left. */
function opened(holding: string, answer: () => Promise<Response>): { asked: string[]; shown: () => string[]; leave: () => void } {
  const asked: string[] = [];
  const forms = ["free", "me"].map((hold) => ({ dataset: { hold }, hidden: hold !== holding }));
  let leave = () => undefined as void;
  Object.assign(globalThis, {
    window: { addEventListener: (_: string, does: () => void) => (leave = does), setTimeout: () => 1, clearTimeout: () => undefined },
    document: { querySelector: () => null },
    fetch: (_: string, init: RequestInit) => {
      asked.push(init.method ?? "GET");
      return answer();
    },
  });
  new Lease({ dataset: { casePage: "film", holding, lease: "600" }, querySelector: () => null, querySelectorAll: () => forms } as unknown as HTMLElement).start();
  return { asked, shown: () => forms.filter((form) => !form.hidden).map((form) => form.dataset.hold), leave: () => leave() };
}

test("a case that is left before the server has answered is let go of", () => {
  const { asked, leave } = opened("free", () => new Promise(() => undefined));
  leave();
  assert.deepEqual(asked, ["POST", "DELETE"]);
});

test("a case that somebody else has is not let go of", async () => {
  const { asked, shown, leave } = opened("free", async () => new Response('{"code": "claimed_by_other", "title": "Taken"}', { status: 409 }));
  await new Promise((done) => setImmediate(done));
  assert.deepEqual(shown(), []);
  leave();
  assert.deepEqual(asked, ["POST"]);
});

test("the form that claims gives way to the one that lets go", async () => {
  const { shown } = opened("free", async () => new Response('{"reviewer": "mia", "claimed_until": null}'));
  assert.deepEqual(shown(), ["free"]);
  await new Promise((done) => setImmediate(done));
  assert.deepEqual(shown(), ["me"]);
});

test("where there is no case any more, there is nothing to claim", async () => {
  const { shown } = opened("free", async () => new Response('{"code": "no_case", "title": "Decided"}', { status: 404 }));
  await new Promise((done) => setImmediate(done));
  assert.deepEqual(shown(), []);
});
