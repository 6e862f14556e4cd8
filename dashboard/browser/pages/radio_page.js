// The radio's page: the station, its dials, and what comes next with a reason for each.
(() => {
  "use strict";
  const segue = (window.segue = window.segue || {});
  const KINDS = {
    track: "From a track",
    artist: "From an artist",
    album: "From an album",
    playlist: "From a playlist",
    taste: "From what you play",
  };
  const ACTS = {
    skipped: (title) => `After you skipped ${title}`,
    disliked: (title) => `After ${title} was not for you`,
    completed: (title) => `After you heard ${title}`,
    liked: (title) => `After you liked ${title}`,
    unliked: (title) => `After you no longer liked ${title}`,
    blocked: (title) => `After you blocked ${title}`,
    unblocked: (title) => `After you unblocked ${title}`,
    turned: () => "After you turned a dial",
  };
  // at the left end of the first dial the ranking's `familiar` is 1
  const DIALS = {
    familiar: {
      ...{ label: "Familiar or new", ends: ["Familiar", "New"], min: -1, step: 0.1, sign: -1, place: Math.round },
      words: ["what you know", "rather what you know", "both", "rather new", "new to you"],
    },
    variety: {
      ...{ label: "Alike or varied", ends: ["Alike", "Varied"], min: 0, step: 0.05, sign: 1, place: Math.ceil },
      words: ["all alike", "mixed", "rather varied", "varied", "as varied as can be"],
    },
  };
  const { radio, element: make } = segue;
  const element = (id) => document.getElementById(id);

  // --- dials ----------------------------------------------------------------------------
  function say(input, output, { min, words, place }) {
    const share = (Number(input.value) - min) / (1 - min);
    const text = words[place(share * (words.length - 1))];
    output.textContent = text;
    input.setAttribute("aria-valuetext", text);
    input.style.setProperty("--done", `${100 * share}%`);
  }

  function dialOf([name, dial]) {
    const { label, ends, min, step, sign } = dial;
    const input = make("input", { type: "range", id: `radio-${name}`, min, max: 1, step });
    const output = make("output", { for: input.id });
    input.value = String(sign * radio.dials()[name]);
    input.addEventListener("input", () => {
      say(input, output, dial);
      radio.turn(name, sign * Number(input.value) || 0); // no minus zero
    });
    say(input, output, dial);
    const head = make("div", { class: "dial-head" }, make("label", { for: input.id }, label), output);
    const foot = make("div", { class: "dial-ends", "aria-hidden": "true" }, ...ends.map((end) => make("span", {}, end)));
    return make("div", { class: "dial" }, head, input, foot);
  }

  // --- stations ---------------------------------------------------------------------------
  function recentOf({ kind, key, name }) {
    const button = make(
      "button",
      { type: "button", "data-do": "radio", "data-radio-kind": kind, "data-radio-key": key, "data-radio-name": name },
      make("span", { class: "icon icon-radio" }),
      make("span", { class: "recent-name" }, name),
      make("span", { class: "by" }, KINDS[kind]),
    );
    return make("li", {}, button);
  }

  let drawn = null; // the recent stations that are shown
  function showStations() {
    const station = radio.station();
    element("radio-name").textContent = station ? station.name : "Radio";
    element("radio-kind").textContent = station ? KINDS[station.kind] : "Nothing is on";
    element("radio-stop").hidden = station === null;
    element("radio").dataset.state = station ? "on" : "off";
    const recent = radio.recent();
    const list = element("radio-recent");
    if (drawn === recent && list.children.length) return;
    drawn = recent;
    list.replaceChildren(...recent.map(recentOf));
    list.closest("section").hidden = !recent.length;
  }

  // --- what comes next --------------------------------------------------------------------
  function change() {
    const since = radio.since();
    const { came, left } = radio.told();
    if (!since) return "";
    const counts = `${left.length} left, ${came.length} came`;
    return `${ACTS[since.what](since.title)}: ${came.length || left.length ? counts : "nothing changed"}`;
  }

  let shownNext = []; // what the list was drawn of
  function showNext() {
    const { rows = [], items } = radio.told();
    const { track } = segue.player.now();
    const isOn = radio.station() !== null;
    const wanted = [shown, radio.told(), radio.since(), isOn, track && track.id];
    if (wanted.every((each, nth) => each === shownNext[nth])) return;
    shownNext = wanted;
    const next = isOn ? rows.filter(({ props }) => !track || props["data-track-id"] !== track.id) : [];
    segue.drawList(element("radio-list"), { children: next });
    const text = isOn ? change() : "";
    if (element("radio-change").textContent !== text) element("radio-change").textContent = text;
    const empty = element("radio-empty");
    empty.hidden = next.length > 0 || (isOn && items.length > 0);
    empty.textContent = isOn
      ? "All that fits was heard lately. Turn a dial, or start another radio."
      : "Start a radio from any track, artist, album or playlist: by “⋯” in a row, or by the button on its page. It goes on by itself, and bends to what you skip.";
  }

  // --- the page ---------------------------------------------------------------------------
  let shown = null;
  function show() {
    const page = element("radio");
    if (!page) return;
    if (page !== shown) {
      shown = page;
      drawn = null;
      element("radio-dials").replaceChildren(...Object.entries(DIALS).map(dialOf));
      // what was asked for elsewhere came without rows
      if (radio.station() && !(radio.told().rows || []).length) segue.player.refresh(radio.station());
    }
    showStations();
    showNext();
  }

  // one of the rows is played now, and the station goes on after it
  document.addEventListener(
    "click",
    (event) => {
      const pressed = event.target.closest("#radio-list [data-do=play]");
      if (!pressed) return;
      event.stopImmediatePropagation();
      const { trackId } = pressed.closest("[data-track-id]").dataset;
      const at = segue.player.plan().ahead.findIndex(({ track }) => track.id === trackId);
      if (at >= 0) segue.player.playAhead(at);
    },
    true,
  );
  document.addEventListener("click", (event) => {
    if (event.target.closest('[data-do="radio-stop"]')) radio.stop();
  });

  radio.watch(show);
  segue.player.watch(show);
  new MutationObserver(() => element("radio") !== shown && show()).observe(
    element("react-entry-point"),
    { childList: true, subtree: true },
  );
})();
