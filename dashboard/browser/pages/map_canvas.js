// The points of the taste map on a canvas below Plotly's axes, lasso and buttons. Plotly's
// own WebGL compiles code from text, which our Content-Security-Policy forbids; and a
// canvas needs no graphics card.
(() => {
  "use strict";
  const segue = (window.segue = window.segue || {});
  const MARGIN = 8; // of the figure, as map_figures.py has it
  const FEW = 5000; // so many are round
  const REACH_PX = 9;
  const TYPES = { i1: Int8Array, i2: Int16Array, i4: Int32Array };
  let points = null; // x and y by point, and what is drawn in one colour
  let lit = null; // by point, whether it stands out; null where all do
  let frame = 0;

  const plotOf = () => document.querySelector("#map-figure .js-plotly-plot");

  function unpacked({ dtype, bdata }) {
    const bytes = Uint8Array.from(atob(bdata), (letter) => letter.charCodeAt(0));
    return new TYPES[dtype](bytes.buffer);
  }

  // traces of a Plotly figure as points
  function take(traces, n) {
    const [x, y] = [new Int16Array(n), new Int16Array(n)];
    const layers = traces.map(({ x: across, y: up, customdata, marker }) => {
      const own = unpacked(customdata);
      const [xs, ys] = [unpacked(across), unpacked(up)];
      own.forEach((point, at) => {
        x[point] = xs[at];
        y[point] = ys[at];
      });
      return { own, ...marker };
    });
    points = { n, x, y, layers };
    const chosen = traces.filter((trace) => trace.selectedpoints);
    light(chosen.length ? chosen.flatMap(({ selectedpoints, customdata }) => {
      const own = unpacked(customdata);
      return selectedpoints.map((at) => own[at]);
    }) : null);
  }

  function light(chosen) {
    lit = chosen && new Uint8Array(points.n);
    if (lit) for (const point of chosen) lit[point] = 1;
    draw();
  }

  // --- from places to pixels and back ---------------------------------------------------------
  // while it is dragged, only the full layout has where the axes are
  function view() {
    const plot = plotOf();
    if (!plot || !plot._fullLayout || !plot._fullLayout.xaxis) return null;
    const { xaxis, yaxis } = plot._fullLayout;
    const { width, height } = plot.getBoundingClientRect();
    const [x0, x1] = xaxis.range;
    const [y0, y1] = yaxis.range;
    const across = (width - 2 * MARGIN) / (x1 - x0);
    const up = (height - 2 * MARGIN) / (y1 - y0);
    return {
      ...{ width, height, plot },
      x: (place) => MARGIN + (place - x0) * across,
      y: (place) => height - MARGIN - (place - y0) * up,
    };
  }

  function draw() {
    cancelAnimationFrame(frame);
    frame = requestAnimationFrame(paint);
  }

  function paint() {
    const canvas = document.querySelector("#map-points canvas");
    const seen = view();
    if (!canvas || !seen || !points) return;
    const scale = Math.min(2, window.devicePixelRatio || 1);
    canvas.width = Math.round(seen.width * scale);
    canvas.height = Math.round(seen.height * scale);
    const pen = canvas.getContext("2d");
    pen.scale(scale, scale);
    if (lit) layer(pen, seen, 0.15, (point) => !lit[point]);
    layer(pen, seen, 0.85, lit ? (point) => lit[point] : () => true);
    canvas.dataset.drawn = String(points.n);
    if (segue.rings) segue.rings.put();
  }

  function layer(pen, seen, opacity, isIn) {
    pen.globalAlpha = opacity;
    for (const { own, color, size } of points.layers) {
      pen.fillStyle = color;
      const half = size / 2;
      for (const point of own) {
        if (!isIn(point)) continue;
        const [x, y] = [seen.x(points.x[point]), seen.y(points.y[point])];
        if (x < -half || y < -half || x > seen.width + half || y > seen.height + half) continue;
        if (points.n > FEW) pen.fillRect(x - half, y - half, size, size);
        else round(pen, x, y, half);
      }
    }
  }

  function round(pen, x, y, radius) {
    pen.beginPath();
    pen.arc(x, y, radius, 0, 2 * Math.PI);
    pen.fill();
  }

  // --- which points -------------------------------------------------------------------------
  // the nearest to a pointer; null where none is near
  function under({ clientX, clientY }) {
    const seen = view();
    if (!seen || !points) return null;
    const { left, top } = seen.plot.getBoundingClientRect();
    let [found, least] = [null, REACH_PX ** 2];
    for (let point = 0; point < points.n; point++) {
      const away = (seen.x(points.x[point]) - clientX + left) ** 2 + (seen.y(points.y[point]) - clientY + top) ** 2;
      if (away < least) [found, least] = [point, away];
    }
    return found;
  }

  // those within the way of a pointer that has drawn a lasso or a rectangle; none where it
  // has moved the map
  function within(way) {
    const seen = view();
    const mode = seen && seen.plot._fullLayout.dragmode;
    if (!points || !["lasso", "select"].includes(mode)) return [];
    const { left, top } = seen.plot.getBoundingClientRect();
    const drawn = way.map(([x, y]) => [x - left, y - top]);
    const [xs, ys] = mode === "lasso" ? [0, 1].map((axis) => drawn.map((each) => each[axis])) : corners(drawn[0], drawn.at(-1));
    const found = [];
    for (let point = 0; point < points.n; point++)
      if (isInside(seen.x(points.x[point]), seen.y(points.y[point]), xs, ys)) found.push(point);
    return found;
  }

  const corners = ([x0, y0], [x1, y1]) => [
    [x0, x1, x1, x0],
    [y0, y0, y1, y1],
  ];

  // a ray to the right crosses the line an odd number of times
  function isInside(x, y, xs, ys) {
    let isIn = false;
    for (let at = 0, last = xs.length - 1; at < xs.length; last = at++)
      if (ys[at] > y !== ys[last] > y && x < ((xs[last] - xs[at]) * (y - ys[at])) / (ys[last] - ys[at]) + xs[at]) isIn = !isIn;
    return isIn;
  }

  const at = (point) => [points.x[point], points.y[point]];
  segue.mapPoints = { take, light, draw, paint, view, at, under, within };
})();
