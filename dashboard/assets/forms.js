// Forms that are sent as JSON: `data-post` says where to, `data-then` what comes after
// it went well. Errors stand in the form, in the server's words.
(() => {
  "use strict";
  const segue = (window.segue = window.segue || {});
  const after = {
    // the page that was asked for before the log-in
    next() {
      const asked = new URLSearchParams(location.search).get("next") || "/";
      location.assign(/^\/([\w-][\w/.-]*)?$/.test(asked) ? asked : "/");
    },
    door: () => location.assign("/log-in"),
    gone(_form, listener) {
      segue.memory.forget(listener);
      location.assign("/log-in");
    },
    say(form) {
      form.reset();
      tell(form, form.dataset.said, "status");
    },
  };

  function tell(form, text, role) {
    const line = form.querySelector(".form-said");
    line.setAttribute("role", role);
    line.textContent = text;
  }

  async function send(form) {
    const content = Object.fromEntries(new FormData(form));
    const listener = segue.memory ? segue.listener() : "";
    if (form.dataset.then === "door") await segue.player.rest();
    const answer = await fetch(form.dataset.post, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(content),
    });
    if (answer.ok) return after[form.dataset.then](form, listener);
    const { error } = await answer.json();
    return tell(form, `${error.detail[0].toUpperCase()}${error.detail.slice(1)}.`, "alert");
  }

  document.addEventListener("submit", async (event) => {
    const form = event.target.closest("form[data-post]");
    if (!form) return;
    event.preventDefault();
    const button = form.querySelector("button");
    button.disabled = true;
    try {
      await send(form);
    } catch {
      tell(form, "The server does not answer. Try again in a moment.", "alert");
    } finally {
      button.disabled = false;
    }
  });
})();
