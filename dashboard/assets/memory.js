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

  // what is kept of a listener who has deleted their account
  function forget(listener) {
    for (const key of [`likes.${listener}`, `resume.${listener}`])
      localStorage.removeItem(`segue.${key}`);
  }

  // the name of who has logged in; what they may do hangs on a cookie that no script sees
  segue.listener = () => (document.cookie.match(/(?:^|; )segue_name=([\w.-]+)/) || [])[1] || "";
  segue.memory = { recall, keep, forget };
})();
