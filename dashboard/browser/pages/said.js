// What is said of tracks outside of a play: blocked, unliked, forgotten; in the menu of
// each track, and on the pages Liked, History and Blocked.
(() => {
  "use strict";
  const segue = (window.segue = window.segue || {});
  const PAGE_ROWS = 50;
  const quoted = (title) => `“${title}”`;

  const about = (id) => ({ track: { id } });
  const say = (action, trackId, more) =>
    segue.plays.say(about(trackId), segue.listener(), action, more);

  // --- blocked ------------------------------------------------------------------------
  function block(scope, name, id) {
    say("blocked", id, { scope });
    segue.toast(`Blocked: ${name}`, { label: "Undo", act: () => say("unblocked", id, { scope }) });
  }

  function unblock(row) {
    const { blocked: scope, blockedId: id, title } = row.dataset;
    say("unblocked", id, { scope });
    const undo = { label: "Undo", act: () => say("blocked", id, { scope }) };
    segue.toast(`No longer blocked: ${title}`, undo);
  }

  const isSame = {
    track: (one, other) => one.id === other.id,
    artist: (one, other) =>
      one.artistId && other.artistId ? one.artistId === other.artistId : one.artist === other.artist,
    album: (one, other) =>
      one.albumId && other.albumId
        ? one.albumId === other.albumId
        : one.album === other.album && one.artist === other.artist,
  };
  const names = {
    track: ({ title }) => quoted(title),
    artist: ({ artist }) => artist,
    album: ({ album }) => quoted(album),
  };
  const labels = {
    track: () => "Block this track",
    artist: ({ artist }) => `Block ${artist}`,
    album: ({ album }) => `Block the album ${quoted(album)}`,
  };
  function blockAll(scope, track) {
    block(scope, names[scope](track), track.id);
    const { track: playing } = segue.player.now();
    if (playing && isSame[scope](playing, track)) segue.player.next();
  }
  Object.keys(names).forEach((scope, at) =>
    segue.menu.add({
      order: 60 + at,
      label: labels[scope],
      when: (track) => scope === "track" || track[scope],
      act: (track) => blockAll(scope, track),
    }),
  );
  segue.does.block = () => {
    const { track } = segue.player.now();
    if (track) blockAll("track", track);
  };

  // --- liked --------------------------------------------------------------------------
  function unlike(row) {
    const { trackId, goneId, title } = row.dataset;
    const id = trackId || goneId;
    const like = (isLiked) => {
      segue.likes.set(id, isLiked);
      segue.player.react(isLiked ? "liked" : "unliked", about(id));
    };
    like(false);
    segue.toast(`No longer liked: ${quoted(title)}`, { label: "Undo", act: () => like(true) });
  }

  // --- forgotten ----------------------------------------------------------------------
  function forgetListen(row) {
    const { trackId, goneId, playId, sessionId, title } = row.dataset;
    const of = { scope: "listen", play_id: playId, session_id: sessionId || segue.plays.session };
    say("forgotten", trackId || goneId, of);
    segue.toast(`Forgetting a listen of ${quoted(title)}`);
  }

  function forgetSession(head) {
    const { sessionId, trackIdOf } = head.dataset;
    const span = head.querySelector("h3").textContent;
    // it cannot be taken back
    if (!confirm(`Forget all that was heard in this session (${span})? It cannot be taken back.`))
      return;
    say("forgotten", trackIdOf, { scope: "session", session_id: sessionId });
    segue.toast(`Forgetting the session of ${span}`);
  }

  segue.menu.add({
    order: 70,
    label: () => "Forget this listen",
    when: (track, row) => row && row.dataset.playId,
    act: (track, row) => forgetListen(row),
  });

  // --- the pages ----------------------------------------------------------------------
  function showMore(button) {
    const page = button.closest("[data-live-key]");
    const [n, ...rest] = page.dataset.liveKey.split(" ");
    page.dataset.liveKey = [Number(n) + PAGE_ROWS, ...rest].join(" ");
  }

  const does = {
    unblock: (button) => unblock(button.closest("li")),
    unlike: (button) => unlike(button.closest("li")),
    "forget-listen": (button) => forgetListen(button.closest("li")),
    "forget-session": (button) => forgetSession(button.closest(".session-head")),
    more: showMore,
  };
  document.addEventListener("click", ({ target }) => {
    const button = target.closest("[data-do]");
    const act = button && does[button.dataset.do];
    if (act) act(button);
  });

  // days and hours are those of whoever looks
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  new MutationObserver(() => {
    const page = document.querySelector('[data-live="history"][data-live-key$=" UTC"]');
    if (page && zone && zone !== "UTC")
      page.dataset.liveKey = page.dataset.liveKey.replace("UTC", zone);
  }).observe(document.getElementById("react-entry-point"), { childList: true, subtree: true });
})();
