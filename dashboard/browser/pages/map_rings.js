// How tastes move over the map: rings that lie where groups were on a date, a slider of
// dates, and a button that goes through them.
(() => {
  "use strict";
  const segue = (window.segue = window.segue || {});
  const STEP_MS = 450;
  const CALM_MS = 1500;
  const SVG = "http://www.w3.org/2000/svg";
  const byId = (id) => document.getElementById(id);
  const { element } = segue;
  let asked = "";
  let moves = null; // days, and what moves with its rings
  let timer = null;

  // what is asked for is in the address
  async function follow(source) {
    const { version } = source.dataset;
    const address = `/api/analytics/map/movement${location.search}`;
    const stamp = `${version} ${address}`;
    if (!version || byId("map-movement").filledFrom === stamp) return;
    asked = byId("map-movement").filledFrom = stamp;
    stop();
    const told = await segue.attempt(() => segue.ask(address), (words) => fill({ words, dates: [], moving: [] }));
    if (told && asked === stamp) fill(told);
  }

  function fill(told) {
    const place = byId("map-movement");
    if (!place) return;
    byId("map-moving").textContent = told.words;
    byId("map-rings").replaceChildren();
    place.replaceChildren();
    moves = null;
    if (!told.dates.length) return;
    moves = { days: told.days, moving: told.moving, rings: told.moving.map(ring) };
    const drawn = document.createElementNS(SVG, "svg");
    drawn.append(...moves.rings);
    byId("map-rings").append(drawn);
    place.append(controls(told.dates), asTable(told.table));
    show();
  }

  function ring({ name, cluster }) {
    const group = document.createElementNS(SVG, "g");
    const circle = document.createElementNS(SVG, "circle");
    group.setAttribute("class", "map-ring");
    circle.setAttribute("r", cluster === null ? 5 : 11);
    group.append(circle);
    if (cluster !== null) {
      const text = document.createElementNS(SVG, "text");
      text.textContent = String(cluster + 1);
      group.append(text);
    }
    const title = document.createElementNS(SVG, "title");
    title.textContent = name;
    group.append(title);
    return group;
  }

  // --- the slider ---------------------------------------------------------------------------
  function controls(dates) {
    const last = dates.length - 1;
    const button = element("button", { type: "button", id: "map-play", class: "main-button" }, "Play the dates");
    const input = element("input", { type: "range", id: "map-date", min: 0, max: last, step: 1 });
    input.value = String(last);
    input.addEventListener("input", () => {
      stop();
      show();
    });
    button.addEventListener("click", () => (timer ? stop() : play()));
    const label = element("label", { for: "map-date" }, "Date");
    return element("div", { class: "map-dates" }, button, label, input, element("output", { for: "map-date" }));
  }

  function asTable(table) {
    const scroll = element("div", { class: "scroll", role: "region", tabindex: 0, "aria-label": "Movement" });
    scroll.append(segue.components.build(table));
    return element("details", {}, element("summary", {}, "As a table"), scroll);
  }

  function play() {
    const input = byId("map-date");
    if (Number(input.value) >= Number(input.max)) input.value = "0";
    const isCalm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    byId("map-play").textContent = "Pause";
    timer = setInterval(step, isCalm ? CALM_MS : STEP_MS);
    show();
  }

  function step() {
    const input = byId("map-date");
    if (!input || !moves) return stop();
    input.value = String(Number(input.value) + 1);
    show();
    if (Number(input.value) >= Number(input.max)) stop();
  }

  function stop() {
    clearInterval(timer);
    timer = null;
    const button = byId("map-play");
    if (button) button.textContent = "Play the dates";
  }

  // the map was moved: its rings go with it at once
  function still() {
    byId("map-rings").classList.remove("is-moving");
    put();
  }

  function show() {
    const input = byId("map-date");
    const date = moves.days[Number(input.value)];
    input.setAttribute("aria-valuetext", date);
    document.querySelector("output[for=map-date]").textContent = date;
    byId("map-rings").classList.add("is-moving");
    put();
  }

  // --- where the rings lie --------------------------------------------------------------------
  function put() {
    const seen = segue.mapPoints.view();
    const input = byId("map-date");
    if (!moves || !input || !seen) return;
    moves.moving.forEach(({ places }, at) => {
      const there = places[Number(input.value)];
      const { style } = moves.rings[at];
      style.display = there ? "" : "none";
      if (there) style.transform = `translate(${seen.x(there[0]).toFixed(1)}px, ${seen.y(there[1]).toFixed(1)}px)`;
    });
  }

  segue.rings = { follow, put: still };
})();
