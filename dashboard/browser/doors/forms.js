// Forms that are sent as JSON: `data-post` says where to, `data-then` what comes after
// it went well. Errors stand in the form, in the server's words.
(() => {
  "use strict";
  const segue = (window.segue = window.segue || {});
  // others add what comes after their forms
  const after = (segue.after = {
    // the page that was asked for before the log-in
    next() {
      const asked = new URLSearchParams(location.search).get("next") || "/";
      location.assign(/^\/([\w-][\w/.-]*)?$/.test(asked) ? asked : "/");
    },
    door: () => location.assign("/log-in"),
    say(form) {
      form.reset();
      tell(form, form.dataset.said, "status");
    },
  });

  // who goes from one door to the other still wants that page
  for (const other of document.querySelectorAll(".door a[href]")) other.search = location.search;

  function tell(form, text, role) {
    const line = form.querySelector(".form-said");
    line.setAttribute("role", role);
    line.textContent = text;
  }

  async function send(form) {
    const content = Object.fromEntries(new FormData(form));
    const listener = segue.memory ? segue.listener() : "";
    if (["door", "gone"].includes(form.dataset.then)) await segue.player.rest();
    const told = await segue.ask(form.dataset.post, content);
    return after[form.dataset.then](form, listener, told);
  }

  document.addEventListener("submit", async (event) => {
    const form = event.target.closest("form[data-post]");
    if (!form) return;
    event.preventDefault();
    const button = form.querySelector("button");
    button.disabled = true;
    try {
      await send(form);
    } catch (error) {
      tell(form, error.message, "alert");
    } finally {
      button.disabled = false;
    }
  });
})();
