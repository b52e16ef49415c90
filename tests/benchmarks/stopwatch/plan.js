// Opens each page of `plan.json` in a tab of its own, one after the other, and reports how long each took.

let told = () => undefined;

chrome.runtime.onMessage.addListener((took) => told(took));

/** Nothing that an earlier visit has left: as for somebody who comes for the first time. */
function forget() {
  return chrome.browsingData.remove({}, { cache: true, cookies: true, indexedDB: true, localStorage: true });
}

async function measured(address) {
  const took = new Promise((resolve) => {
    told = resolve;
  });
  const tab = await chrome.tabs.create({ url: address });
  const milliseconds = await took;
  await chrome.tabs.remove(tab.id);
  return milliseconds;
}

async function run() {
  const { report, steps } = await (await fetch(chrome.runtime.getURL("plan.json"))).json();
  for (const { name, address, fresh } of steps) {
    if (fresh) await forget();
    const took = await measured(address);
    await fetch(report, { method: "POST", body: JSON.stringify({ name, took }) });
  }
}

void run();
