// The outbox: playback events wait here until the server has taken them.
// Every event keeps its event_id, so sending one again is harmless. Those of somebody
// else who listened in this browser wait until they log in again.
(() => {
  "use strict";
  const segue = (window.segue = window.segue || {});
  const KEY = "segue.outbox";
  const MOST = 500;
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

  function write(events) {
    const kept = events.slice(-MOST);
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
  }

  function later() {
    clearTimeout(timer);
    timer = setTimeout(() => {
      timer = null;
      flush();
    }, retryMs);
    retryMs = Math.min(retryMs * 2, 30000);
  }

  // True: go on with what is left. False: the server is away, try again later.
  async function post(batch) {
    const answer = await fetch("/api/events", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ events: batch }),
      keepalive: true,
    });
    if (answer.status >= 500 || [401, 403, 429].includes(answer.status)) return false;
    if (answer.status === 400) {
      const { error } = await answer.json();
      console.warn("an event was refused:", error.reason, error.detail);
      remove([batch[error.index] || batch[0]]);
    } else {
      remove(batch);
    }
    return true;
  }

  async function flushAll() {
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

  segue.outbox = {
    add(event) {
      write([...read(), event]);
      flush().then(() => mine().length && !timer && flush());
    },
    // the page goes away: hand over what waits in one request that outlives it
    leave(event) {
      const body = new Blob([JSON.stringify({ events: [event] })], {
        type: "application/json",
      });
      if (!navigator.sendBeacon("/api/events", body)) write([...read(), event]);
    },
    flush,
    waiting: () => mine().length,
  };
  window.addEventListener("online", flush);
  flush();
})();
