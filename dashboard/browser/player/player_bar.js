// The player's bar: shows what is on, and takes its two sliders.
(() => {
  "use strict";
  const segue = (window.segue = window.segue || {});
  const SAID_MS = 8000;
  const REPEAT = { off: "Repeat: off", all: "Repeat: all", one: "Repeat: this track" };
  const { player, clock } = segue;
  const marker = new CSSStyleSheet();
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, marker];
  const element = (id) => document.getElementById(id);
  const buttons = (name) =>
    document.querySelectorAll(`:is(#player, #queue) [data-do="${name}"]`);

  const slider = element("seek");
  slider.addEventListener("input", () => {
    slider.dataset.held = "1";
    element("elapsed").textContent = clock(Number(slider.value));
  });
  slider.addEventListener("change", () => {
    delete slider.dataset.held;
    player.seek(Number(slider.value));
  });
  const volume = element("volume");
  volume.addEventListener("input", () => player.setVolume(Number(volume.value)));

  let silence = null;
  player.say = (text) => {
    clearTimeout(silence);
    element("player-note").textContent = text;
    if (text) silence = setTimeout(() => player.say(""), SAID_MS);
  };

  // a label and a state for each button, in the bar and in the drawer
  function set(name, { label, ...states }) {
    for (const each of buttons(name)) {
      if (label) each.setAttribute("aria-label", label);
      if (label) each.title = label;
      for (const [state, value] of Object.entries(states))
        if (state === "disabled") each.disabled = value;
        else each.setAttribute(state, String(value));
    }
  }

  function show() {
    const now = player.now();
    const { isShuffled, repeat } = player.plan();
    const disabled = !now.track;
    element("player").dataset.state = now.track ? (now.isPlaying ? "playing" : "paused") : "empty";
    set("toggle", { label: now.isPlaying ? "Pause" : "Play" });
    set("like", { disabled, "aria-pressed": disabled ? false : segue.likes.has(now.track.id) });
    for (const name of ["dislike", "next", "menu"]) set(name, { disabled });
    set("previous", { disabled: !now.canGoBack });
    set("shuffle", { label: isShuffled ? "Shuffle: on" : "Shuffle: off", "aria-pressed": isShuffled });
    set("repeat", { label: REPEAT[repeat], "aria-pressed": repeat !== "off", "data-repeat": repeat });
    set("mute", { label: now.isMuted ? "Muted" : "Mute", "aria-pressed": now.isMuted });
    volume.value = now.isMuted ? "0" : String(now.volume);
    volume.style.setProperty("--done", `${100 * Number(volume.value)}%`);
    slider.disabled = disabled;
    showTime(now);
    showTrack(now.track);
  }

  function showTime({ atS, lengthS }) {
    element("length").textContent = clock(lengthS);
    if (slider.dataset.held) return;
    slider.max = String(lengthS || 1);
    slider.value = String(atS);
    slider.style.setProperty("--done", lengthS ? `${(100 * atS) / lengthS}%` : "0%");
    slider.setAttribute("aria-valuetext", `${clock(atS)} of ${clock(lengthS)}`);
    element("elapsed").textContent = clock(atS);
  }

  let shownTrack = null;
  function showTrack(track) {
    if (track === shownTrack) return;
    shownTrack = track;
    // the row that plays, by a rule of our own: React owns the rows
    marker.replaceSync(
      track
        ? `[data-track-id="${CSS.escape(track.id)}"]{--row:var(--raised);--row-title:var(--accent)}`
        : "",
    );
    if (!track) return;
    element("now-title").textContent = track.title;
    element("now-by").textContent = [track.artist, track.album].filter(Boolean).join(" · ");
    element("now-cover").src = `/covers/${encodeURIComponent(track.id)}`;
    element("now-cover").hidden = false;
  }

  Object.assign(segue.does, {
    next: () => player.next(),
    previous: () => player.previous(),
    shuffle: () => player.shuffle(!player.plan().isShuffled),
    repeat: () => player.repeat(),
    mute: () => player.mute(),
  });
  player.watch(show);
  document.addEventListener("segue-likes", show);
})();
