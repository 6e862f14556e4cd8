// The player's face: the bar, the rows' play buttons, keys, and the media keys.
(() => {
  "use strict";
  const segue = (window.segue = window.segue || {});
  const STEP_S = 10;
  const { player } = segue;
  const { recall, keep } = segue.memory;
  const marker = new CSSStyleSheet();
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, marker];
  const element = (id) => document.getElementById(id);
  const button = (name) => document.querySelector(`#player [data-do="${name}"]`);

  // --- rows of tracks ---------------------------------------------------------
  function playRow(row) {
    const list = row.closest("[data-track-list]");
    const rows = [...list.querySelectorAll("[data-track-id]")];
    player.playFrom(
      rows.map((each) => fromRow(each, list)),
      fromRow(row, list),
    );
  }

  function fromRow(row, list) {
    const from = list.dataset.trackList;
    const isListed = from === "for-you";
    const { trackId, title, artist, album, durationMs, rank, propensity } = row.dataset;
    return {
      from,
      track: {
        id: trackId,
        title,
        artist,
        album,
        durationMs: durationMs ? Number(durationMs) : null,
      },
      source: {
        surface: isListed ? "player" : list.dataset.surface || "search",
        list_id: isListed ? list.dataset.listId : null,
        rank: isListed ? Number(rank) : null,
        propensity: isListed && propensity ? Number(propensity) : null,
        organic: !isListed,
      },
    };
  }

  function toggle() {
    if (player.now().track) return player.toggle();
    const first = document.querySelector('[data-track-list] [data-do="play"]');
    return first ? first.click() : say("There is nothing to play yet");
  }

  const { next, previous, like, dislike } = player;
  const actions = { toggle, next, previous, like, dislike, keys: switchKeys };

  document.addEventListener("click", (event) => {
    const pressed = event.target.closest("[data-do]");
    if (!pressed) return;
    if (pressed.dataset.do === "play") {
      const row = pressed.closest("[data-track-id]");
      const { track } = player.now();
      if (track && track.id === row.dataset.trackId) toggle();
      else playRow(row);
    } else if (actions[pressed.dataset.do]) actions[pressed.dataset.do]();
  });

  // --- keys: single letters can be switched off (WCAG 2.1.4) -----------------------
  function switchKeys() {
    keep("keys", !recall("keys", true));
    say(recall("keys", true) ? "Shortcuts are on" : "Shortcuts are off");
    show();
  }

  const TYPING = 'input, textarea, select, [contenteditable="true"], [role="listbox"]';
  document.addEventListener("keydown", (event) => {
    const { target, key } = event;
    if (event.ctrlKey || event.metaKey || event.altKey || !recall("keys", true)) return;
    if (target.closest(TYPING)) return;
    if (key === " " && target.closest("button, a, summary")) return;
    const pressed = {
      " ": toggle,
      l: like,
      ArrowLeft: () => (event.shiftKey ? previous() : player.seek(player.now().atS - STEP_S)),
      ArrowRight: () => (event.shiftKey ? next() : player.seek(player.now().atS + STEP_S)),
    }[key];
    if (!pressed) return;
    event.preventDefault();
    pressed();
  });

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

  // --- what the bar shows --------------------------------------------------------------
  function clock(seconds) {
    const whole = Math.floor(Number.isFinite(seconds) ? seconds : 0);
    return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
  }

  function say(text) {
    element("player-note").textContent = text;
  }

  let shownTrack = null;
  function show() {
    const now = player.now();
    const state = now.track ? (now.isPlaying ? "playing" : "paused") : "empty";
    element("player").dataset.state = state;
    button("toggle").setAttribute("aria-label", now.isPlaying ? "Pause" : "Play");
    button("keys").setAttribute("aria-pressed", String(recall("keys", true)));
    button("like").setAttribute("aria-pressed", String(now.isLiked));
    for (const name of ["like", "dislike", "next"]) button(name).disabled = !now.track;
    button("previous").disabled = !now.canGoBack;
    slider.disabled = !now.track;
    showTime(now);
    if (!now.track) mark(null);
    else if (now.track !== shownTrack) showTrack(now.track);
    if ("mediaSession" in navigator)
      navigator.mediaSession.playbackState = state === "empty" ? "none" : state;
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

  function showTrack(track) {
    shownTrack = track;
    const cover = `/covers/${encodeURIComponent(track.id)}`;
    element("now-title").textContent = track.title;
    element("now-by").textContent = [track.artist, track.album].filter(Boolean).join(" · ");
    element("now-cover").src = cover;
    element("now-cover").hidden = false;
    mark(track.id);
    if ("mediaSession" in navigator)
      navigator.mediaSession.metadata = new MediaMetadata({
        title: track.title,
        artist: track.artist,
        album: track.album,
        artwork: [{ src: cover }],
      });
  }

  // the row that plays, by a rule of our own: React owns the rows
  function mark(trackId) {
    marker.replaceSync(
      trackId
        ? `[data-track-id="${CSS.escape(trackId)}"]{--row:var(--raised);--row-title:var(--accent)}`
        : "",
    );
    if (!trackId) shownTrack = null;
  }

  const hardware = {
    play: toggle,
    pause: toggle,
    nexttrack: next,
    previoustrack: previous,
    seekto: ({ seekTime }) => player.seek(seekTime),
  };
  if ("mediaSession" in navigator)
    for (const [name, react] of Object.entries(hardware))
      navigator.mediaSession.setActionHandler(name, react);

  volume.value = String(recall("volume", 1));
  player.face.changed = show;
  player.face.say = say;
  player.resume();
  show();
})();
