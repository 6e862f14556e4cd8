// Draws the list of recommendations from the components that the server sends.
// Dash would build each row anew: this keeps the rows that are still listed, so that
// focus, pictures and a pressed button stay, and they can glide to their new places.
(() => {
  "use strict";
  const segue = (window.segue = window.segue || {});
  const GLIDE = { duration: 420, easing: "cubic-bezier(.2,.8,.2,1)" };
  const still = window.matchMedia("(prefers-reduced-motion: reduce)");
  const drawn = new WeakMap(); // row element -> the text that it was drawn from

  segue.drawList = (list, { children, ...attributes }) => {
    const before = new Map([...list.children].map((row) => [row, row.offsetTop]));
    const focused = list.contains(document.activeElement) ? document.activeElement : null;
    draw(list, children);
    for (const [name, value] of Object.entries(attributes)) list.setAttribute(name, value);
    if (focused && focused.isConnected) focused.focus({ preventScroll: true });
    if (before.size && !still.matches) for (const row of list.children) glide(row, before.get(row));
  };

  function draw(list, rows) {
    const old = new Map([...list.children].map((row) => [row.dataset.trackId, row]));
    rows.forEach((row, place) => {
      const key = row.props["data-track-id"];
      const element = renewed(old.get(key), row);
      old.delete(key);
      const there = list.children[place];
      if (there !== element) list.insertBefore(element, there || null);
    });
    for (const gone of old.values()) gone.remove();
  }

  function renewed(element, row) {
    const text = JSON.stringify(row);
    if (element && drawn.get(element) === text) return element;
    const fresh = build(row);
    if (!element) {
      drawn.set(fresh, text);
      return fresh;
    }
    for (const { name, value } of fresh.attributes) element.setAttribute(name, value);
    // the cover with its button stays: it is the same track
    while (element.childNodes.length > 1) element.lastChild.remove();
    element.append(...[...fresh.childNodes].slice(1));
    drawn.set(element, text);
    return element;
  }

  // a component of dash.html as an element; text stays text
  function build(component) {
    if (component === null || typeof component !== "object")
      return document.createTextNode(component ?? "");
    const { children, className, style, ...attributes } = component.props;
    const element = document.createElement(component.type.toLowerCase());
    if (className) element.className = className;
    Object.assign(element.style, style);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    for (const child of [children ?? []].flat()) element.append(build(child));
    return element;
  }

  // first, last, invert, play
  function glide(row, before) {
    if (before === undefined)
      row.animate([{ opacity: 0, transform: "scale(.97)" }, { opacity: 1 }], GLIDE);
    else if (before !== row.offsetTop)
      row.animate(
        [{ transform: `translateY(${before - row.offsetTop}px)` }, { transform: "none" }],
        GLIDE,
      );
  }
})();
