// Dark or light, before anything is painted: the head of each page runs it.
(() => {
  "use strict";
  const segue = (window.segue = window.segue || {});
  const KEY = "segue.theme";
  const root = document.documentElement;
  const light = matchMedia("(prefers-color-scheme: light)");

  function chosen() {
    try {
      const kept = JSON.parse(localStorage.getItem(KEY));
      return ["light", "dark"].includes(kept) ? kept : "system";
    } catch {
      return "system";
    }
  }

  function apply() {
    const preferred = light.matches ? "light" : "dark";
    root.dataset.theme = chosen() === "system" ? preferred : chosen();
    // Mantine's own parts follow
    root.setAttribute("data-mantine-color-scheme", root.dataset.theme);
  }

  function choose(theme) {
    try {
      localStorage.setItem(KEY, JSON.stringify(theme));
    } catch {
      // private mode, or full: until the next page
    }
    apply();
  }

  light.addEventListener("change", apply);
  addEventListener("storage", ({ key }) => key === KEY && apply());
  // Mantine says once what it was told when it started
  new MutationObserver(
    () => root.getAttribute("data-mantine-color-scheme") !== root.dataset.theme && apply(),
  ).observe(root, { attributeFilter: ["data-mantine-color-scheme"] });
  segue.theme = { chosen, choose };
  apply();
})();
