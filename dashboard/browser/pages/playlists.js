// One playlist: its rows, their order, and what is done with it. Every edit names the
// version that it saw; what another tab did comes as a newer version, and is read anew.
(() => {
  "use strict";
  const segue = (window.segue = window.segue || {});
  const byId = (id) => document.getElementById(id);
  const { element } = segue;
  const tracksOf = new WeakMap(); // row -> what the server told of its track
  let shown = null; // the list, where its rows are from, and the version they are of
  let leaving = ""; // the playlist that is being deleted here
  let editing = Promise.resolve(); // one edit after the other
  let nEdits = 0;

  const rows = () => [...shown.list.children];
  const trackOf = (row) => tracksOf.get(row);
  const tracks = () => rows().map(trackOf).filter(Boolean);

  // --- reading ------------------------------------------------------------------------
  async function read() {
    const mine = shown;
    if (mine.isReading) return;
    mine.isReading = true;
    const say = mine.isRefused ? () => {} : segue.toast; // why is on the page already
    const told = await segue.attempt(() => segue.ask(mine.path), say);
    mine.isReading = false;
    if (!told || mine !== shown || nEdits || drag.isOn()) return;
    Object.assign(mine, { version: told.version, isStale: false, isRefused: false });
    draw(told.tracks);
    showShare(told.shared);
    follow(); // it may have changed meanwhile
  }

  // rows that stay keep their element, and so their focus and picture
  function draw(tracks) {
    const { list, isOwn } = shown;
    const old = new Map();
    for (const row of list.children) {
      const text = JSON.stringify(trackOf(row) || null);
      old.set(text, [...(old.get(text) || []), row]);
    }
    const focused = list.contains(document.activeElement) ? document.activeElement : null;
    const drawn = tracks.map((track) => (old.get(JSON.stringify(track)) || []).shift() || made(track, isOwn));
    list.replaceChildren(...(drawn.length ? drawn : [nothing()]));
    if (focused && focused.isConnected) focused.focus({ preventScroll: true });
  }

  function made(track, isOwn) {
    const row = segue.playlistRow(track, isOwn);
    tracksOf.set(row, track);
    return row;
  }

  function nothing() {
    return element(
      "li",
      { class: "empty" },
      element("p", { class: "title" }, "No tracks yet"),
      element("p", { class: "by" }, "Add some by the “⋯” of any track."),
    );
  }

  // --- edits ----------------------------------------------------------------------------
  // shown at once, told in order. What the server refuses is taken back, and with it what
  // was done on top of it; then the page reads what the server has
  function edit(name, bodyOf, before = tracks()) {
    const mine = shown;
    const { nRefused } = mine;
    nEdits += 1;
    editing = editing.then(async () => {
      const isVoid = nRefused !== mine.nRefused;
      const seen = mine.version;
      const ask = () => segue.ask(`${mine.path}/${name}`, bodyOf(seen));
      const told = !isVoid && (await segue.attempt(ask, sayRefused));
      nEdits -= 1;
      if (told) {
        mine.version = told.version;
        // another tab has done something in between, which this one does not show yet
        if (told.version !== seen + 1) mine.isStale = true;
      }
      if (!told && !isVoid) refuse(mine, before);
      if (mine === shown && !nEdits) follow();
      return told;
    });
    return editing;
  }

  const sayRefused = (why) =>
    segue.toast(nEdits > 1 ? `${why} What you did after that is not done either.` : why);

  function refuse(mine, before) {
    const isFirst = !mine.before;
    Object.assign(mine, { nRefused: mine.nRefused + 1, isStale: true, isRefused: true });
    if (isFirst) mine.before = before;
    if (mine === shown && !drag.isOn()) takeBack();
  }

  // rows as they were before what was refused; false where nothing was
  function takeBack() {
    const before = shown && shown.before;
    if (!before) return false;
    shown.before = null;
    draw(before);
    return true;
  }

  function move(row, to) {
    if (!shown) return;
    const place = rows().indexOf(row);
    const end = rows().length - 1;
    if (to < 0 || to > end || to === place) return;
    const focused = row.contains(document.activeElement) ? document.activeElement : null;
    const { track_id: trackId, title } = trackOf(row);
    const before = tracks();
    shown.list.insertBefore(row, rows()[to > place ? to + 1 : to] || null);
    if (focused) focused.focus({ preventScroll: true });
    row.scrollIntoView({ block: "nearest" });
    byId("playlist-said").textContent = `${title || "The track"} is now ${to + 1} of ${end + 1}`;
    edit("move", (version) => ({ place, track_id: trackId, version, to }), before);
  }

  async function remove(row) {
    if (!shown) return;
    const place = rows().indexOf(row);
    const { track_id: trackId, title } = trackOf(row);
    const next = row.nextElementSibling || row.previousElementSibling;
    const { path } = shown;
    const before = tracks();
    row.remove();
    if (next) next.querySelector(".grip").focus({ preventScroll: true });
    else draw([]);
    const told = await edit("remove", (version) => ({ place, track_id: trackId, version }), before);
    if (!told) return;
    segue.toast(`Removed “${title || "a track"}”`, {
      label: "Undo",
      act: () => segue.attempt(() => segue.ask(`${path}/add`, { track_ids: [trackId], at: told.at })),
    });
  }

  // nothing moves under the finger: what was refused meanwhile is taken back at its end
  const drag = segue.dragRows((row, to) => (takeBack() || to === null ? follow() : move(row, to)));

  // --- by keyboard: arrows on the grip, Alt with arrows anywhere in a row ----------------
  document.addEventListener("keydown", (event) => {
    const { key, target } = event;
    const row = shown && shown.isOwn && target.closest(".playlist-tracks .track");
    const step = { ArrowUp: -1, ArrowDown: 1 }[key];
    if (!row || !step || !(event.altKey || target.matches(".grip"))) return undefined;
    event.preventDefault();
    return move(row, rows().indexOf(row) + step);
  });

  const isOwnRow = (_track, row) => Boolean(row && row.closest('.playlist-tracks[data-by="own"]'));
  for (const [order, text, act] of [
    [21, "Move up", (row) => move(row, rows().indexOf(row) - 1)],
    [22, "Move down", (row) => move(row, rows().indexOf(row) + 1)],
    [23, "Remove from this playlist", remove],
  ])
    segue.menu.add({ order, label: () => text, when: isOwnRow, act: (_track, row) => act(row) });

  // --- the whole playlist ---------------------------------------------------------------
  function showShare(token) {
    const place = byId("playlist-share");
    if (!place) return;
    if (!token) return place.replaceChildren();
    const link = element("input", { readonly: "", "aria-label": "Link to this playlist", value: `${location.origin}/shared/${token}` });
    const tool = (text, name) => element("button", { type: "button", class: "quiet-button", "data-do": name }, text);
    return place.replaceChildren(link, tool("Copy link", "playlist-copy-link"), tool("Stop sharing", "playlist-unshare"));
  }

  function rename() {
    const title = byId("playlist-name");
    if (title.hidden) return;
    const now = title.textContent;
    const form = element(
      "form",
      { class: "form name-form", "data-post": `${shown.path}/rename`, "data-then": "playlist-renamed" },
      element("input", { type: "hidden", name: "was", value: now }),
      element("input", { name: "name", value: now, maxlength: 200, required: "", autocomplete: "off", "aria-label": "New name" }),
      element("button", { class: "main-button" }, "Save"),
      element("p", { class: "form-said", role: "alert" }),
    );
    form.addEventListener("keydown", ({ key }) => key === "Escape" && renamed(form, now));
    title.hidden = true;
    title.after(form);
    form.elements.name.select();
  }

  function renamed(form, name) {
    const title = byId("playlist-name");
    form.remove();
    title.textContent = name;
    title.hidden = false;
    document.querySelector('[data-do="playlist-rename"]').focus({ preventScroll: true });
  }

  const actions = {
    "playlist-remove": (button) => remove(button.closest(".track")),
    "playlist-rename": rename,
    async "playlist-share"() {
      const told = await edit("share", () => ({}));
      if (!told) return;
      showShare(told.shared);
      document.querySelector("#playlist-share input").select();
    },
    async "playlist-unshare"() {
      if (!(await edit("unshare", () => ({})))) return;
      showShare(null);
      segue.toast("The link leads nowhere now");
    },
    async "playlist-copy-link"() {
      const link = document.querySelector("#playlist-share input");
      link.select();
      await navigator.clipboard.writeText(link.value);
      segue.toast("Link copied");
    },
    async "playlist-delete"() {
      const { path } = shown;
      leaving = path;
      const told = await segue.attempt(() => segue.ask(`${path}/delete`, {}));
      if (!told) {
        leaving = "";
        return;
      }
      const name = byId("playlist-name").textContent;
      segue.open("/playlists");
      segue.toast(`Deleted “${name}”`, {
        label: "Undo",
        act: () => segue.attempt(() => segue.ask(`${path}/undelete`, {})),
      });
    },
    async "playlist-copy"() {
      const told = await segue.attempt(() => segue.ask(`${shown.path}/copy`, {}));
      if (told) segue.open(`/playlist/${told.key}`);
    },
    "playlist-import": () => segue.importPlaylist(),
  };

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-do]");
    const act = button && actions[button.dataset.do];
    if (act && (shown || act === actions["playlist-import"])) segue.attempt(() => act(button));
  });
  segue.after["playlist-made"] = (_form, _listener, told) => segue.open(`/playlist/${told.key}`);
  segue.after["playlist-renamed"] = (form, _listener, told) => renamed(form, told.name);

  // --- a page has come, or a newer version --------------------------------------------
  function follow() {
    const list = document.querySelector(".playlist-tracks");
    if (!list || list.dataset.path !== leaving) leaving = "";
    if (!list || leaving) {
      shown = null;
      return;
    }
    const { path, by, version } = list.dataset;
    if (!shown || shown.list !== list || shown.path !== path)
      shown = { list, path, isOwn: by === "own", version: 0, isStale: true, nRefused: 0 };
    if (version === "0") {
      leaving = path;
      segue.open("/playlists");
      segue.toast(`“${byId("playlist-name").textContent}” was deleted in another tab`);
    } else if (!nEdits && (shown.isStale || Number(version) > shown.version)) read();
  }

  new MutationObserver(follow).observe(byId("react-entry-point"), {
    childList: true,
    subtree: true,
    attributeFilter: ["data-version", "data-path"],
  });
})();
