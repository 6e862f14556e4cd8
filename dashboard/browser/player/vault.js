// What must outlive a browser that is killed. Chromium writes localStorage to disk as
// seldom as once a minute, IndexedDB at once; so what can happen again later is kept
// here, and what must be kept before a page has gone is kept in localStorage.
(() => {
  "use strict";
  const segue = (window.segue = window.segue || {});
  const SHELF = "kept";

  const opened = new Promise((done, fail) => {
    const asking = indexedDB.open("segue", 1);
    asking.onupgradeneeded = () => asking.result.createObjectStore(SHELF);
    asking.onsuccess = () => done(asking.result);
    asking.onerror = () => fail(asking.error);
  });

  async function use(mode, act) {
    try {
      const shelf = (await opened).transaction(SHELF, mode).objectStore(SHELF);
      const asking = act(shelf);
      return await new Promise((done, fail) => {
        asking.onsuccess = () => done(asking.result);
        asking.onerror = () => fail(asking.error);
      });
    } catch {
      return undefined; // no storage: it works all the same, until it is killed
    }
  }

  const under = (prefix) => IDBKeyRange.bound(prefix, `${prefix}\uffff`);
  segue.vault = {
    put: (key, value) => use("readwrite", (shelf) => shelf.put(value, key)),
    get: (key) => use("readonly", (shelf) => shelf.get(key)),
    drop: (key) => use("readwrite", (shelf) => shelf.delete(key)),
    all: async (prefix) => (await use("readonly", (shelf) => shelf.getAll(under(prefix)))) || [],
  };
})();
