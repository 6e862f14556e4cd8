// Who has deleted their account leaves nothing of theirs in this browser.
(() => {
  "use strict";
  const segue = (window.segue = window.segue || {});
  const { recall, keep } = segue.memory;

  async function forget(listener) {
    const isOthers = (event) => event.user_id !== listener;
    for (const what of ["likes", "queue", "place", "radio"])
      localStorage.removeItem(`segue.${what}.${listener}`);
    keep("outbox", recall("outbox", []).filter(isOthers));
    const farewells = Object.entries(recall("farewells", {}));
    keep("farewells", Object.fromEntries(farewells.filter(([, event]) => isOthers(event))));
    for (const what of ["play", "event"])
      for (const event of await segue.vault.all(`${what}.`))
        if (!isOthers(event)) await segue.vault.drop(`${what}.${event[`${what}_id`]}`);
  }

  segue.after.gone = async (_form, listener) => {
    await forget(listener);
    segue.after.door();
  };
})();
