// "Why?" of a row opens what its place in the list is made of; "Show all" shows the rest.
(() => {
  "use strict";
  const segue = (window.segue = window.segue || {});
  const open = new Set(); // tracks whose panel is open
  const WORDS = {
    now: ["Now", "close to your last few plays"],
    today: ["Today", "close to the last 24 hours"],
    month: ["Month", "close to the last weeks"],
    always: ["Always", "close to all you ever played"],
    skips: ["Skips", "away from what you skipped, or towards it"],
    seeds: ["Seeds", "close to a few tracks that stand for what this list begins with"],
    hub: ["Hub", "against tracks that are close to everything"],
    collaborative: ["Listeners like you", "liked by those who play what you play"],
    neighbours: ["Neighbours", "played by listeners of what you played"],
    followers: ["Followers", "played next after what you played last"],
    familiar: ["Familiar", "for or against what you know already"],
    variety: ["Variety", "against likeness to rows above"],
  };
  const KINDS = {
    heard: "You heard",
    seed: "Nearest seed",
    neighbour: "Played by listeners of",
    follows: "Often played after",
  };
  const LEAST = 0.0005; // what is less shows as 0.000

  const make = (kind, look, ...children) =>
    segue.element(kind, { class: look || null }, ...children);

  const signed = (value) => (value < 0 ? "−" : "+") + Math.abs(value).toFixed(3);

  function partRow(name, value, most) {
    const [label, words] = WORDS[name] || [name, ""];
    const bar = make("span", value < 0 ? "part-bar against" : "part-bar");
    bar.style.width = `${(50 * Math.abs(value)) / most}%`;
    const name_ = make("th", "", label, make("small", "", words));
    name_.scope = "row";
    const track = make("td", "part-track", bar);
    track.setAttribute("aria-hidden", "true");
    return make("tr", "", name_, track, make("td", "part-value", signed(value)));
  }

  function partTable({ parts }) {
    const named = Object.entries(parts).filter(([, value]) => Math.abs(value) >= LEAST);
    const most = Math.max(...named.map(([, value]) => Math.abs(value)), LEAST);
    const whole = Object.values(parts).reduce((sum, value) => sum + value, 0);
    const total = make("th", "", "Score");
    total.scope = "row";
    const foot = make("tr", "", total, make("td"), make("td", "part-value", whole.toFixed(3)));
    foot.children[1].setAttribute("aria-hidden", "true");
    return make(
      "table",
      "parts",
      make("caption", "", "What the score is made of"),
      make("tbody", "", ...named.map(([name, value]) => partRow(name, value, most))),
      make("tfoot", "", foot),
    );
  }

  function causeLine({ kind, id, title, artist, share, at }) {
    const link = make("a", "", title);
    link.href = `/track/${encodeURIComponent(id)}`;
    const line = make("li", "", `${KINDS[kind]} `, link, ` by ${artist}`);
    if (at) line.append(", ", clock(at));
    if (share !== null) line.append(`: ${Math.round(100 * share)} % of what speaks for it`);
    return line;
  }

  function clock(at) {
    const time = make("time");
    time.dateTime = time.dataset.clock = at;
    return time;
  }

  function facts({ explored, propensity }, made) {
    const told = [];
    if (explored) told.push("Its place was given by lot, to learn more than what is known.");
    if (propensity !== null)
      told.push(`How likely it was to come here: ${(100 * propensity).toFixed(1)} %.`);
    if (made) told.push(`${made}.`);
    return make("p", "by", told.join(" "));
  }

  function fill(panel, row) {
    const made = row.parentElement.dataset.made || "";
    const text = row.dataset.why + made;
    if (panel.text === text) return;
    panel.text = text;
    const focused = panel.contains(document.activeElement) && document.activeElement.getAttribute("href");
    const why = JSON.parse(row.dataset.why);
    const causes = make("ul", "causes", ...why.causes.map(causeLine));
    panel.replaceChildren(partTable(why), make("div", "", causes, facts(why, made)));
    panel.setAttribute("aria-label", `Why ${row.dataset.title}`);
    if (focused) (panel.querySelector(`[href="${CSS.escape(focused)}"]`) || buttonOf(row)).focus();
  }

  const buttonOf = (row) => row.querySelector('[data-do="why"]');

  // rows come and go; each shows its panel as long as it has been left open
  function show(row) {
    let panel = row.querySelector(":scope > .why-panel");
    const isOpen = open.has(row.dataset.trackId) && "why" in row.dataset;
    const button = buttonOf(row);
    if (button) button.setAttribute("aria-expanded", String(isOpen));
    if (!isOpen) {
      if (panel) panel.remove();
      return;
    }
    if (!panel) {
      panel = make("div", "why-panel");
      panel.dataset.added = "";
      panel.setAttribute("role", "group");
      row.append(panel);
    }
    fill(panel, row);
  }

  function toggle(row, isOpen = !open.has(row.dataset.trackId)) {
    open[isOpen ? "add" : "delete"](row.dataset.trackId);
    show(row);
  }

  document.addEventListener("segue:drawn", ({ target }) => {
    for (const row of target.querySelectorAll(":scope > [data-why]")) show(row);
  });

  document.addEventListener("click", ({ target }) => {
    const button = target.closest('[data-do="why"], [data-do="show-all"]');
    if (!button) return;
    if (button.dataset.do === "why") toggle(button.closest("[data-track-id]"));
    else showAll(button);
  });

  document.addEventListener("keydown", (event) => {
    const panel = event.key === "Escape" && event.target.closest(".why-panel");
    if (!panel) return;
    const row = panel.parentElement;
    buttonOf(row).focus();
    toggle(row, false);
  });

  function showAll(button) {
    const isAll = document.getElementById("for-you").toggleAttribute("data-all");
    button.textContent = isAll ? "Show fewer" : "Show all";
    button.setAttribute("aria-expanded", String(isAll));
  }

  const rowOf = ({ id }, row) =>
    row && "why" in row.dataset
      ? row
      : document.querySelector(`#for-you > [data-track-id="${CSS.escape(id)}"][data-why]`);

  segue.menu.add({
    order: 50,
    label: () => "Why this track?",
    when: (track, row) => rowOf(track, row),
    act(track, row) {
      const found = rowOf(track, row);
      toggle(found, true);
      buttonOf(found).focus();
      found.scrollIntoView({ block: "nearest" });
    },
  });
})();
