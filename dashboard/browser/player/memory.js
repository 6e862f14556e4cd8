// What the player remembers between visits; without storage it works all the same.
(() => {
  "use strict";
  const segue = (window.segue = window.segue || {});

  function recall(key, otherwise) {
    try {
      return JSON.parse(localStorage.getItem(`segue.${key}`)) ?? otherwise;
    } catch {
      return otherwise;
    }
  }

  function keep(key, value) {
    try {
      localStorage.setItem(`segue.${key}`, JSON.stringify(value));
    } catch {
      // private mode, or full
    }
  }

  // the name of who has logged in; what they may do hangs on a cookie that no script sees
  segue.listener = () => (document.cookie.match(/(?:^|; )segue_name=([\w.-]+)/) || [])[1] || "";
  segue.newId = () =>
    crypto.randomUUID ? crypto.randomUUID() : `${Date.now()}-${String(Math.random()).slice(2)}`;
  segue.later = (ms) => new Promise((done) => setTimeout(done, Math.max(0, ms)));
  segue.memory = { recall, keep };
})();
