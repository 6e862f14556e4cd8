// The taste map: asks for the points, says what one is, and lists those that are chosen.
(() => {
  "use strict";
  const segue = (window.segue = window.segue || {});
  const API = "/api/analytics/map";
  const REST_MS = 60;
  const MOST_KNOWN = 500;
  const STILL_PX = 4;
  const byId = (id) => document.getElementById(id);
  const known = new Map(); // point -> what it is
  let map = null; // of what is drawn: version, layer, n
  let byHand = null; // points that were chosen here, and of which map
  let resting = null;
  let way = null; // of a pointer that is down on the map

  async function draw(source) {
    const address = source.dataset.figure;
    if (!address || address === source.drawnFrom) return;
    source.drawnFrom = address;
    const told = await segue.attempt(() => segue.ask(address), say);
    if (!told || source.dataset.figure !== address || !source.isConnected) return;
    say("");
    known.clear();
    map = { version: told.version, layer: told.layer, n: told.n };
    segue.mapPoints.take(told.figure.data, told.n);
    // what was chosen by hand stays while the points are the same
    if (byHand && byHand.stamp === stampOf(map)) segue.mapPoints.light(byHand.points);
    else list(told.chosen);
  }

  const stampOf = ({ version, layer }) => `${version} ${layer} ${location.search}`;

  // elements of our own: as Dash components so many rows take half a minute
  function list(components) {
    byHand = null;
    byId("map-chosen").replaceChildren(...components.map(segue.components.build));
  }

  function say(text) {
    const place = byId("map-silent");
    if (place) place.textContent = text;
  }

  // --- what is pointed at, pressed, drawn around -------------------------------------------
  function listen(plot) {
    plot.isHeard = true;
    plot.on("plotly_deselect", () => map && segue.mapPoints.light(null));
    for (const name of ["plotly_relayout", "plotly_relayouting", "plotly_afterplot"]) plot.on(name, segue.mapPoints.draw);
    segue.mapPoints.draw();
  }

  const isOnMap = ({ target }) => map && target instanceof Element && target.closest("#map-figure .nsewdrag");

  document.addEventListener(
    "pointermove",
    (event) => {
      clearTimeout(resting);
      if (way) way.push([event.clientX, event.clientY]);
      else if (isOnMap(event)) resting = setTimeout(() => name(segue.mapPoints.under(event)), REST_MS);
    },
    true,
  );
  document.addEventListener(
    "pointerdown",
    (event) => {
      way = isOnMap(event) && event.button === 0 ? [[event.clientX, event.clientY]] : null;
    },
    true,
  );
  document.addEventListener("pointercancel", () => (way = null), true);
  document.addEventListener(
    "pointerup",
    (event) => {
      const drawn = way;
      way = null;
      if (!drawn || !map) return;
      const [x, y] = drawn[0];
      const isStill = drawn.every((each) => Math.hypot(each[0] - x, each[1] - y) < STILL_PX);
      const point = isStill ? segue.mapPoints.under(event) : null;
      const points = isStill ? (point === null ? [] : [point]) : segue.mapPoints.within(drawn);
      if (points.length) choose(points);
    },
    true,
  );

  async function name(point) {
    if (point === null) return;
    const asked = map;
    if (!known.has(point)) {
      const query = new URLSearchParams({ version: asked.version, point });
      const told = await segue.attempt(() => segue.ask(`${API}/track?${query}`), renew);
      if (!told || asked !== map) return;
      if (known.size >= MOST_KNOWN) known.clear();
      known.set(point, [told.name, told.note, told.style, `cluster ${told.cluster}`].filter(Boolean).join(" · "));
    }
    byId("map-pointed").textContent = known.get(point);
  }

  async function choose(points) {
    const { version, layer, n } = map;
    segue.mapPoints.light(points);
    const told = await segue.attempt(() => segue.ask(`${API}/tracks`, { version, layer, points: bits(points, n) }), renew);
    if (!told || !byId("map-chosen")) return;
    list(told.chosen);
    byHand = { points, stamp: stampOf({ version, layer }) };
  }

  // one bit for each point of the map, the first one lowest
  function bits(points, n) {
    const bytes = new Uint8Array(Math.ceil(n / 8));
    for (const point of points) bytes[point >> 3] |= 1 << (point & 7);
    let text = "";
    for (const byte of bytes) text += String.fromCharCode(byte);
    return btoa(text);
  }

  // the points may be others by now
  function renew(words) {
    segue.toast(words);
    const source = byId("map-source");
    if (!source) return;
    source.drawnFrom = "";
    draw(source);
  }

  // --- a playlist -------------------------------------------------------------------------
  segue.does["map-playlist"] = (button) =>
    segue.attempt(async () => {
      const ways = byId("map-chosen").querySelectorAll("[data-map-track]");
      const track_ids = [...ways].map((way) => way.dataset.mapTrack);
      const at = new Date().toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
      button.disabled = true;
      try {
        const made = await segue.ask("/api/playlists", { name: `From the taste map, ${at}`, track_ids });
        segue.toast(`Made “${made.name}” of ${made.n_tracks} tracks`, {
          label: "Open",
          act: () => segue.open(`/playlist/${made.key}`),
        });
      } finally {
        button.disabled = false;
      }
    });

  function look() {
    const source = byId("map-source");
    if (!source) return;
    const place = byId("map-points");
    if (!place.firstChild) place.append(segue.element("canvas"));
    const plot = document.querySelector("#map-figure .js-plotly-plot");
    if (plot && plot.on && !plot.isHeard) listen(plot);
    draw(source);
    segue.rings.follow(source);
  }

  new MutationObserver(look).observe(byId("react-entry-point"), {
    childList: true,
    subtree: true,
    attributeFilter: ["data-figure", "data-version", "class"],
  });
})();
