// The outbox: playback events wait here until the server has taken them.
// Every event keeps its event_id, so sending one again is harmless. Those of somebody
// else who listened in this browser wait until they log in again.
(() => {
  "use strict";
  const segue = (window.segue = window.segue || {});
  const KEY = "segue.outbox";
  const MOST = 2000; // about 600 plays without a server, 1 MB
  const BATCH = 50;
  let retryMs = 1000;
  let timer = null;

  let unstored = null; // the events, while storage is full or switched off

  function read() {
    if (unstored) return unstored;
    try {
      return JSON.parse(localStorage.getItem(KEY)) || [];
    } catch {
      return [];
    }
  }

  // a progress is soon outdated, a start says little; an end or a like is said once
  const worth = ({ action, source }) =>
    ({ progressed: source && source.end ? 2 : 0, started: 1 })[action] ?? 2;

  function fitted(events) {
    const tooMany = events.length - MOST;
    if (tooMany <= 0) return events;
    const gone = new Set([...events].sort((a, b) => worth(a) - worth(b)).slice(0, tooMany));
    for (const { event_id } of gone) segue.vault.drop(`event.${event_id}`);
    return events.filter((event) => !gone.has(event));
  }

  function write(events) {
    const kept = fitted(events);
    try {
      localStorage.setItem(KEY, JSON.stringify(kept));
      unstored = null;
    } catch {
      unstored = kept;
    }
  }

  const mine = () => read().filter((event) => event.user_id === segue.listener());

  function remove(events) {
    const gone = new Set(events.map((event) => event.event_id));
    write(read().filter((event) => !gone.has(event.event_id)));
    return Promise.all([...gone].map((id) => segue.vault.drop(`event.${id}`)));
  }

  function later() {
    clearTimeout(timer);
    timer = setTimeout(() => {
      timer = null;
      flush();
    }, retryMs);
    retryMs = Math.min(retryMs * 2, 30000);
  }

  let isRefused = false; // as while Kafka is away, which is said once
  // True: go on with what is left. False: they were not taken, whoever answered that.
  async function post(batch) {
    const answer = await fetch("/api/events", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ events: batch }),
      keepalive: true,
    });
    if (answer.status === 400) {
      const { error } = await answer.json();
      const event = batch[error.index];
      console.warn("an event was refused:", error.reason, error.detail);
      if (event) await remove([event]);
      if (event) return true; // else it was not about an event: all of them wait
    }
    if (answer.status !== 202) {
      if (!isRefused) segue.player.say("What you play is kept here, and sent when the server takes it");
      isRefused = true;
      return false;
    }
    await remove(batch);
    if (isRefused) segue.player.say("All that you played has been sent");
    isRefused = false;
    return true;
  }

  // what a killed browser had not written down yet; once for each page
  let isRestored = false;
  async function restore() {
    if (isRestored) return;
    isRestored = true;
    const stored = await segue.vault.all("event.");
    const known = new Set(read().map((event) => event.event_id));
    const lost = stored.filter(({ event_id }) => !known.has(event_id));
    if (lost.length) write([...lost, ...read()]);
  }

  async function flushAll() {
    await restore();
    for (let batch = mine().slice(0, BATCH); batch.length; batch = mine().slice(0, BATCH)) {
      let taken = false;
      try {
        taken = await post(batch);
      } catch {
        taken = false; // the network is away
      }
      if (!taken) return later();
      retryMs = 1000;
    }
  }

  let running = null;
  function flush() {
    // one tab at a time: what they share would be sent twice
    const work = navigator.locks
      ? () => navigator.locks.request("segue-outbox", flushAll)
      : flushAll;
    if (!running) running = work().finally(() => (running = null));
    return running;
  }

  // of a play's waiting progress the newest says all
  function add(event) {
    const isOld = (each) =>
      worth(event) === 0 && worth(each) === 0 && each.play_id === event.play_id;
    const waiting = read();
    for (const each of waiting.filter(isOld)) segue.vault.drop(`event.${each.event_id}`);
    write([...waiting.filter((each) => !isOld(each)), event]);
    segue.vault.put(`event.${event.event_id}`, event);
    flush().then(() => mine().length && !timer && flush());
  }

  segue.outbox = {
    add,
    // the page goes away: one request that outlives it
    wave(event) {
      const body = new Blob([JSON.stringify({ events: [event] })], { type: "application/json" });
      navigator.sendBeacon("/api/events", body);
    },
    flush,
    waiting: () => mine().length,
  };
  window.addEventListener("online", flush);
  window.addEventListener("segue:ready", flush);
})();
