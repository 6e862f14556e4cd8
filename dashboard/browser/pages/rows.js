// Draws lists of rows (`data-drawn`) from the components that the server sends. Dash
// would build each row anew: this keeps the rows that are still listed and changes in
// place what differs, so that focus, pictures, a pressed button and what scripts added
// stay, and rows can glide to their new places.
(() => {
  "use strict";
  const segue = (window.segue = window.segue || {});
  const { build, patched } = segue.components;
  const GLIDE = { duration: 420, easing: "cubic-bezier(.2,.8,.2,1)" };
  const still = window.matchMedia("(prefers-reduced-motion: reduce)");
  const drawn = new WeakMap(); // row element -> the text that it was drawn from

  segue.drawList = (list, { children, ...attributes }) => {
    const before = new Map([...list.children].map((row) => [row, placeOf(row)]));
    const focused = list.contains(document.activeElement) ? document.activeElement : null;
    const place = [...list.children].findIndex((row) => row.contains(focused));
    if (children) draw(list, children);
    for (const [name, value] of Object.entries(attributes)) list.setAttribute(name, value);
    if (focused) (focused.isConnected ? focused : instead(list, place, focused)).focus({ preventScroll: true });
    list.dispatchEvent(new Event("segue:drawn", { bubbles: true }));
    if (before.size && !still.matches) for (const row of list.children) glide(row, before.get(row));
  };

  const placeOf = (row) => (row.offsetParent ? row.offsetTop : undefined);

  // who pressed a button that took its row away goes on with the row in its place
  function instead(list, place, { dataset }) {
    const row = list.children[Math.min(place, list.children.length - 1)];
    if (!row) return document.body;
    const same = row.querySelector(`[data-do="${dataset.do}"]`);
    return same || row.querySelector("button, a") || document.body;
  }

  function draw(list, rows) {
    const old = new Map([...list.children].map((row) => [keyOf(row), row]));
    rows.forEach((row, place) => {
      if (drawn.get(list.children[place]) === JSON.stringify(row)) return;
      const key = row.props["data-key"] ?? row.props["data-track-id"];
      const element = renewed(key && old.get(key), row);
      old.delete(key);
      const there = list.children[place];
      if (there !== element) list.insertBefore(element, there || null);
    });
    while (list.children.length > rows.length) list.lastChild.remove();
  }

  // a track that is listed twice, or a heading, has a key of its own
  const keyOf = (row) => row.dataset.key ?? row.dataset.trackId ?? row;

  function renewed(element, row) {
    const text = JSON.stringify(row);
    if (element && drawn.get(element) === text) return element;
    const fresh = element ? patched(element, row) : build(row);
    drawn.set(fresh, text);
    return fresh;
  }

  // first, last, invert, play
  function glide(row, before) {
    const now = placeOf(row);
    if (now === undefined) return;
    if (before === undefined)
      row.animate([{ opacity: 0, transform: "scale(.97)" }, { opacity: 1 }], GLIDE);
    else if (before !== now)
      row.animate([{ transform: `translateY(${before - now}px)` }, { transform: "none" }], GLIDE);
  }
})();
