// Questions of analysts: a form becomes the address, and small lines are drawn from
// the numbers beside them.
(() => {
  "use strict";
  const segue = (window.segue = window.segue || {});
  const WIDTH = 96;
  const HEIGHT = 22;
  const SVG = "http://www.w3.org/2000/svg";

  document.addEventListener("submit", (event) => {
    const form = event.target.closest("form[data-query]");
    if (!form) return;
    event.preventDefault();
    const query = new URLSearchParams(location.search);
    for (const [name, value] of new FormData(form)) value ? query.set(name, value) : query.delete(name);
    if (query.has("from") || query.has("to")) query.delete("range");
    segue.open(location.pathname + (query.size ? `?${query}` : ""));
  });

  // "0,3,1" as a line over the whole width, from 0 to the most
  function line(text) {
    const counts = text.split(",").map(Number);
    const most = Math.max(1, ...counts);
    const step = WIDTH / Math.max(1, counts.length - 1);
    const points = counts.map((count, at) => `${(at * step).toFixed(1)},${((1 - count / most) * (HEIGHT - 2) + 1).toFixed(1)}`);
    const svg = document.createElementNS(SVG, "svg");
    svg.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
    svg.setAttribute("aria-hidden", "true");
    svg.dataset.added = "";
    const drawn = document.createElementNS(SVG, "polyline");
    drawn.setAttribute("points", points.length > 1 ? points.join(" ") : `0,1 ${WIDTH},1`);
    svg.append(drawn);
    return svg;
  }

  function draw() {
    for (const place of document.querySelectorAll("[data-spark]")) {
      if (place.dataset.spark === place.drawnFrom) continue;
      place.drawnFrom = place.dataset.spark;
      place.replaceChildren(line(place.dataset.spark));
    }
  }

  new MutationObserver(draw).observe(document.getElementById("react-entry-point"), {
    childList: true,
    subtree: true,
    attributeFilter: ["data-spark"],
  });
})();
