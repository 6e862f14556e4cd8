// What is sought stands in the address, so that it is there again after another page.
(() => {
  "use strict";
  const clientside = (window.dash_clientside = window.dash_clientside || {});
  const asked = () => new URLSearchParams(location.search).get("q") ?? "";

  // Dash asks when the box comes onto the page
  clientside.segue = { asked };

  document.addEventListener("input", ({ target }) => {
    if (target.id !== "search") return;
    const query = target.value.trim() ? `?${new URLSearchParams({ q: target.value })}` : "";
    history.replaceState(history.state, "", location.pathname + query);
  });

  // from one search to another the box stays. It is filled as by hand: what was typed a
  // moment ago, and is not told to Dash yet, does not come after
  const { set: fill } = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value");
  window.addEventListener("popstate", () => {
    const box = document.getElementById("search");
    if (location.pathname !== "/search" || !box || box.value === asked()) return;
    fill.call(box, asked());
    box.dispatchEvent(new Event("input", { bubbles: true }));
  });
})();
