// What the listener likes: the server's word, and over it what was pressed here and has
// not come round yet.
(() => {
  "use strict";
  const segue = (window.segue = window.segue || {});
  const MOST = 500;
  const ROUND_MS = 60000; // after which nothing that was pressed is still on its way
  let server = { liked: new Set(), saidAt: {} };
  let pressed = null; // track id -> [is liked, when]

  let name = ""; // of who is on this page, whoever logs in beside it
  const key = () => (name ||= `likes.${segue.listener()}`);
  function own() {
    // an earlier version kept a list of ids
    const kept = pressed ? [] : segue.memory.recall(key(), []);
    if (!pressed) pressed = new Map(kept.every(Array.isArray) ? kept : []);
    return pressed;
  }

  function changed() {
    pressed = new Map([...own()].slice(-MOST));
    segue.memory.keep(key(), [...pressed]);
    document.dispatchEvent(new Event("segue-likes"));
  }

  function set(id, isLiked) {
    own().delete(id); // the newest comes last
    own().set(id, [isLiked, Date.now()]);
    changed();
  }

  // the server knows better what was said later, here or elsewhere
  function isKnown(id, isLiked, at) {
    if (Date.parse(server.saidAt[id]) >= at) return true;
    return server.liked.has(id) === isLiked && Date.now() - at > ROUND_MS;
  }

  async function refresh() {
    let told;
    try {
      told = await segue.ask("/api/reactions");
    } catch {
      return; // it is away: what is known stays
    }
    server = { liked: new Set(told.liked), saidAt: told.said_at };
    for (const [id, [isLiked, at]] of own()) if (isKnown(id, isLiked, at)) own().delete(id);
    changed();
  }

  segue.likes = {
    has: (id) => (own().has(id) ? own().get(id)[0] : server.liked.has(id)),
    set,
    refresh,
  };
  document.addEventListener("visibilitychange", () => document.hidden || refresh());
  addEventListener("segue:ready", refresh);
})();
