// The first page, shown at once: Dash takes most of a second to begin. When Dash has its
// frame, the page moves into it; when it has its page, the rows move over as they are.
(() => {
  "use strict";
  const segue = (window.segue = window.segue || {});
  const { build, redress } = segue.components;
  const entry = document.getElementById("react-entry-point");
  const place = document.getElementById("first");
  const told = new Map(); // component id -> properties that Dash has to know
  const { frame, page, props } = JSON.parse(document.getElementById("first-page").textContent);
  const own = page && build(page);

  place.append(build(frame));
  if (own) place.querySelector(".content").append(own);
  entry.hidden = true;

  // who had come to something by Tab goes on there
  const inputs = (root) => [...root.querySelectorAll("a, button, input, summary, [tabindex]")];

  function replace(before, after, swap) {
    const { activeElement } = document;
    const at = before.contains(activeElement) ? inputs(before).indexOf(activeElement) : -1;
    swap();
    if (at >= 0) (activeElement.isConnected ? activeElement : inputs(after)[at])?.focus({ preventScroll: true });
  }

  function moveRows(list) {
    const dashs = [...document.querySelectorAll(`[id="${CSS.escape(list.id)}"]`)].find((each) => each !== list);
    if (!dashs) return;
    for (const { name, value } of list.attributes) dashs.setAttribute(name, value);
    dashs.replaceChildren(...list.childNodes);
  }

  function giveWay(dashs) {
    own.querySelectorAll("[data-drawn]").forEach(moveRows);
    for (const { id } of own.querySelectorAll("details[open]")) dashs.querySelector(`[id="${id}"]`).open = true;
    const [mine, its] = [own, dashs].map((root) => root.querySelector('[data-do="show-all"]'));
    if (mine && its) {
      its.textContent = mine.textContent;
      its.setAttribute("aria-expanded", mine.getAttribute("aria-expanded"));
    }
    own.remove();
    for (const [id, values] of told) if (document.getElementById(id)) window.dash_clientside.set_props(id, values);
  }

  segue.first = {
    props,
    holds: (element) => own !== null && own.contains(element),
    put(element, values) {
      told.set(element.id, { ...told.get(element.id), ...values });
      redress(element, values);
    },
    // nothing of Dash is there yet that could open another page
    isAlone: () => place.isConnected,
    // after each change that Dash makes
    settle() {
      const content = entry.querySelector(".content");
      if (content && place.isConnected)
        replace(place, entry, () => {
          if (own) content.append(own);
          entry.hidden = false;
          place.remove();
        });
      const dashs = own?.isConnected && [...(content?.children ?? [])].find((each) => each !== own);
      if (dashs) replace(own, dashs, () => giveWay(dashs));
    },
  };
})();
