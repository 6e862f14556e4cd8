// The queue beside the page: what plays, what comes next, and what comes after that.
// Rows of the queue are moved by their grip, by buttons, and by Alt with the arrow keys.
(() => {
  "use strict";
  const segue = (window.segue = window.segue || {});
  const { player, element: make } = segue;
  const element = (id) => document.getElementById(id);
  const drawer = element("queue");
  const next = element("queue-next");
  let opener = null;
  let drawn = "";

  // --- rows -----------------------------------------------------------------------
  const button = (act, label, icon, look = "flat") =>
    make(
      "button",
      { type: "button", class: look, "data-do": act, "aria-label": label, title: label },
      make("span", { class: `icon icon-${icon}` }),
    );

  function cover(track, act) {
    const image = make("img", {
      ...{ src: `/covers/${encodeURIComponent(track.id)}`, alt: "", width: "44", height: "44" },
      ...(act ? {} : { class: "cover" }),
    });
    if (!act) return image;
    const made = button(act, `Play ${track.title} by ${track.artist}`, "play", "cover");
    made.removeAttribute("title");
    made.prepend(image);
    return made;
  }

  function row({ track }, key, act, ...more) {
    const words = make(
      "div",
      { class: "words" },
      make("p", { class: "title" }, make("span", {}, track.title)),
      make("p", { class: "by" }, [track.artist, track.album].filter(Boolean).join(" · ")),
    );
    return make("li", { class: "queue-row", "data-key": key }, cover(track, act), words, ...more);
  }

  function queueRow(item, at, items) {
    const { title } = item.track;
    const up = button("queue-up", `Move ${title} up`, "up", "flat mover");
    const down = button("queue-down", `Move ${title} down`, "down", "flat mover");
    up.disabled = at === 0;
    down.disabled = at === items.length - 1;
    const remove = button("queue-remove", `Remove ${title} from the queue`, "close");
    const grip = make("span", { class: "grip icon icon-grip", "aria-hidden": "true" });
    return row(item, String(item.lot), "queue-play", up, down, remove, grip);
  }

  function show() {
    if (drawer.hidden || drag.row) return;
    const { items, ahead, station } = player.plan();
    const now = player.item();
    const text = JSON.stringify([now && now.track.id, station.name, items, ahead]);
    if (text === drawn) return;
    drawn = text;
    const focused = focusedPlace();
    element("queue-now").replaceChildren(...(now ? [row(now, "now", null)] : []));
    next.replaceChildren(...items.map(queueRow));
    element("queue-ahead").replaceChildren(
      ...ahead.map((item) => row(item, item.track.id, "ahead-play")),
    );
    element("queue-ahead-title").textContent = `Next from ${station.name}`;
    element("queue-empty").hidden = items.length > 0;
    element("queue-silent").hidden = ahead.length > 0;
    drawer.querySelector('[data-do="queue-clear"]').hidden = !items.length;
    if (focused) focusAgain(focused);
  }

  // --- focus stays with its row, or goes to the one that took its place ------------------
  function focusedPlace() {
    const held = document.activeElement;
    const li = held.closest("#queue .queue-row");
    if (!li) return null;
    const at = [...li.parentElement.children].indexOf(li);
    return { list: li.parentElement, at, key: li.dataset.key, act: held.dataset.do };
  }

  function focusAgain({ list, at, key, act }) {
    const rows = [...list.children];
    const li = rows.find((each) => each.dataset.key === key) || rows[Math.min(at, rows.length - 1)];
    if (!li) return element("queue-title").focus();
    const same = li.querySelector(`[data-do="${act}"]:not(:disabled)`);
    return (same || li.querySelector("button:not(:disabled)")).focus({ preventScroll: false });
  }

  // --- what the rows do -----------------------------------------------------------
  const placeOf = (inside) => [...next.children].indexOf(inside.closest(".queue-row"));

  function move(at, to) {
    const { items } = player.plan();
    if (to < 0 || to >= items.length || at === to) return;
    player.move(at, to);
    tell(`${items[at].track.title} is now ${to + 1} of ${items.length}`);
  }

  function remove(at) {
    tell(`${player.plan().items[at].track.title} is no longer in the queue`);
    player.remove(at);
  }

  const tell = (text) => (element("queue-said").textContent = text);

  function open() {
    opener = document.activeElement;
    drawer.hidden = false;
    drawn = "";
    show();
    mark();
    element("queue-title").focus();
  }

  function close() {
    const hadFocus = drawer.contains(document.activeElement);
    drawer.hidden = true;
    mark();
    if (hadFocus) (opener && opener.isConnected ? opener : document.querySelector('[data-do="queue"]')).focus();
  }

  function mark() {
    const way = document.querySelector('#player [data-do="queue"]');
    way.setAttribute("aria-expanded", String(!drawer.hidden));
    document.body.classList.toggle("with-queue", !drawer.hidden);
  }

  Object.assign(segue.does, {
    queue: () => (drawer.hidden ? open() : close()),
    "queue-close": close,
    "queue-clear"() {
      player.clear();
      tell("The queue is empty");
      element("queue-title").focus();
    },
    "queue-play": (pressed) => player.playAt(placeOf(pressed)),
    "queue-up": (pressed) => move(placeOf(pressed), placeOf(pressed) - 1),
    "queue-down": (pressed) => move(placeOf(pressed), placeOf(pressed) + 1),
    "queue-remove": (pressed) => remove(placeOf(pressed)),
    "ahead-play": (pressed) =>
      player.playAhead([...element("queue-ahead").children].indexOf(pressed.closest("li"))),
  });

  next.addEventListener("keydown", (event) => {
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (!event.altKey || !step) return;
    event.preventDefault();
    move(placeOf(event.target), placeOf(event.target) + step);
  });

  document.addEventListener("keydown", ({ key, target, defaultPrevented }) => {
    const isOthers = defaultPrevented || target.closest("dialog, [role=menu], input:not([type=range])");
    if (key === "Escape" && !drawer.hidden && !isOthers) close();
  });

  // --- drag ------------------------------------------------------------------------
  const drag = { row: null, from: 0 };

  next.addEventListener("pointerdown", (event) => {
    if (event.button || !event.target.closest(".grip")) return;
    event.preventDefault();
    drag.row = event.target.closest(".queue-row");
    drag.from = placeOf(drag.row);
    drag.row.classList.add("dragged");
    next.setPointerCapture(event.pointerId);
  });

  next.addEventListener("pointermove", ({ clientY }) => {
    if (!drag.row) return;
    const middle = (li) => li.getBoundingClientRect().top + li.offsetHeight / 2;
    const before = drag.row.previousElementSibling;
    const after = drag.row.nextElementSibling;
    if (before && clientY < middle(before)) before.before(drag.row);
    else if (after && clientY > middle(after)) after.after(drag.row);
    else return;
    drag.row.scrollIntoView({ block: "nearest" });
  });

  function drop(isMeant) {
    const { row: li, from } = drag;
    if (!li) return;
    const to = placeOf(li);
    li.classList.remove("dragged");
    drag.row = null;
    drawn = "";
    if (isMeant) move(from, to);
    show();
  }
  next.addEventListener("pointerup", () => drop(true));
  next.addEventListener("pointercancel", () => drop(false));

  player.watch(show);
})();
