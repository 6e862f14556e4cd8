// The radio: a station that the player asks for what comes next. It begins at a track, an
// artist, an album, a playlist or the taste of now; what is skipped bends it at once.
(() => {
  "use strict";
  const segue = (window.segue = window.segue || {});
  const MOST_HEARD = 200;
  const MOST_SKIPPED = 50;
  const MOST_RECENT = 8;
  const TURNED_MS = 150;
  // after an act it is asked at once, and again until the stream's taste reflects the act
  const ASKED_AGAIN_MS = [0, 700, 1000, 1500, 2500];
  const AGAINST = ["skipped", "disliked"];
  const ACTS = [...AGAINST, "completed", "liked", "unliked", "blocked", "unblocked"];
  const me = segue.listener();
  const KEY = `radio.${me}`;
  const kept = { dials: { familiar: 0, variety: 0.1 }, recent: [], on: null };
  Object.assign(kept, segue.memory.recall(KEY, {}));
  const keep = () => segue.memory.keep(KEY, kept);

  let on = null; // the station
  const nothing = { as_of: null, items: [], came: [], left: [], rows: [] };
  let told = nothing; // its last answer
  let nAsked = 0;
  let nTold = 0; // of its questions, the one that was answered last
  let since = null; // an act, and what was to come before it
  let heard = []; // of this session, newest last
  let skipped = [];
  const titles = new Map();
  const faces = [];
  const changed = () => faces.forEach((show) => show());
  const isOn = () => on !== null && segue.station.now() === on;
  const isPage = () => document.getElementById("radio") !== null;

  // --- a station ----------------------------------------------------------------------
  function stationOf({ kind, key, name }) {
    const station = { kind, key, name };
    station.more = (played) => more(station, played);
    return station;
  }

  function ask({ kind, key }, played) {
    heard = [...new Set([...heard, ...played].reverse())].slice(0, MOST_HEARD).reverse();
    const before = since ? since.before : [];
    const rows = isPage();
    const seed = { kind, key };
    return segue.ask("/api/radio", { seed, ...kept.dials, heard, skipped, before, rows });
  }

  async function more(station, played) {
    const mine = (nAsked += 1);
    const answer = await ask(station, played);
    for (const { track_id, title } of answer.items) titles.set(track_id, title);
    if (station === on && mine > nTold) {
      nTold = mine;
      told = answer;
      changed();
    }
    return answer.items.map((each) => itemOf(answer, each));
  }

  const itemOf = (answer, row) => ({
    from: "radio",
    track: {
      id: row.track_id,
      title: row.title,
      artist: row.artist,
      album: row.album,
      artistId: row.artist_id,
      albumId: row.album_id,
      durationMs: row.duration_ms,
    },
    source: {
      surface: "radio",
      list_id: answer.list_id,
      rank: row.rank,
      organic: false,
    },
  });

  // --- on and off ---------------------------------------------------------------------
  async function start(seed) {
    const station = stationOf(seed);
    const { track } = segue.player.now();
    try {
      // first whether there is one: what is on stays where there is none
      const { name } = await ask(station, track ? [track.id] : []);
      station.name = name;
    } catch (error) {
      return segue.toast(error.message);
    }
    on = station;
    since = null;
    told = nothing;
    remember(station);
    await segue.player.setStation(station);
    if (!isPage()) segue.toast(`Radio: ${station.name}`, { label: "Open", act: () => segue.open("/radio") });
    sound(seed);
    return changed();
  }

  // what plays goes on; a player that is silent plays the station at once
  function sound({ kind, key }) {
    const { track, isPlaying } = segue.player.now();
    if (isPlaying) return;
    if (track && kind === "track" && track.id === key) segue.player.start();
    else if (segue.player.plan().ahead.length) segue.player.playAhead(0);
    else segue.player.next();
  }

  function stop() {
    forget();
    segue.player.setStation(null);
  }

  function forget() {
    on = kept.on = since = null;
    keep();
    changed();
  }

  function remember({ kind, key, name }) {
    kept.on = { kind, key, name };
    const others = kept.recent.filter((each) => each.kind !== kind || each.key !== key);
    kept.recent = [kept.on, ...others].slice(0, MOST_RECENT);
    keep();
  }

  // after a reload the station goes on
  function resume() {
    if (!kept.on) return;
    on = stationOf(kept.on);
    segue.station.tune(on);
    segue.player.refresh(on);
  }

  // --- what bends it ------------------------------------------------------------------
  // what changes from now on is told against what was to come before
  function begin(what, title) {
    since = { what, title, before: told.items.map((each) => each.track_id) };
  }

  let timer = null;
  function turn(dial, value) {
    if (kept.dials[dial] === value) return;
    if (!since || since.what !== "turned") begin("turned", "");
    kept.dials[dial] = value;
    keep();
    clearTimeout(timer);
    timer = setTimeout(() => on && segue.player.refresh(on), TURNED_MS);
  }

  function noticed(event) {
    const { action, track_id, event_time: at, played_ms, duration_ms } = event;
    if (event.user_id !== me || !ACTS.includes(action) || !isOn()) return;
    const { track } = segue.player.now();
    if (track) titles.set(track.id, track.title);
    begin(action, titles.get(track_id) || "a track");
    if (AGAINST.includes(action))
      skipped = [...skipped, { track_id, at, action, played_ms, duration_ms }].slice(-MOST_SKIPPED);
    follow(at);
  }

  let wanted = "";
  async function follow(at) {
    wanted = at;
    for (const pause of ASKED_AGAIN_MS) {
      await segue.later(pause);
      if (wanted !== at || !isOn()) return; // another act has come
      await segue.player.refresh(on);
      if ((told.as_of || "") >= at) return;
    }
  }

  // whatever is told to the server passes through the outbox
  const { add } = segue.outbox;
  segue.outbox.add = (event) => {
    noticed(event);
    add(event);
  };

  // --- where it is started --------------------------------------------------------------
  document.addEventListener("click", (event) => {
    const pressed = event.target.closest('[data-do="radio"]');
    if (!pressed) return;
    const { radioKind: kind, radioKey: key, radioName: name } = pressed.dataset;
    start({ kind, key: key || "", name });
  });
  segue.menu.add({
    order: 40,
    label: () => "Start radio from this track",
    act: ({ id, title }) => start({ kind: "track", key: id, name: title }),
  });
  segue.menu.add({
    order: 41,
    label: ({ artist }) => `Start radio from ${artist}`,
    when: ({ artistId }) => artistId,
    act: ({ artistId, artist }) => start({ kind: "artist", key: artistId, name: artist }),
  });

  segue.radio = {
    ...{ start, stop, turn },
    told: () => told,
    since: () => since,
    station: () => (isOn() ? on : null),
    dials: () => kept.dials,
    recent: () => kept.recent,
    watch: (show) => faces.push(show),
  };
  // another station is on, as after a row of the list was played
  segue.player.watch(() => on && !isOn() && forget());
  window.addEventListener("segue:ready", resume);
})();
