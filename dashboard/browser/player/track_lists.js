// The lists of tracks on the pages, and what is played and queued from them.
(() => {
  "use strict";
  const segue = (window.segue = window.segue || {});
  const LIST = "[data-track-list]";
  const rowsOf = (list) => [...list.querySelectorAll("[data-track-id]")];

  // a row as an item that the player takes
  function itemOf(row) {
    const list = row.closest(LIST);
    const from = list ? list.dataset.trackList : "page";
    const isListed = from === "for-you";
    const { trackId, durationMs, rank, propensity, ...named } = row.dataset;
    const { title, artist, album, artistId, albumId } = named;
    const surface = (list && list.dataset.surface) || "search";
    const length = durationMs ? Number(durationMs) : null;
    return {
      from,
      track: { id: trackId, title, artist, album, artistId, albumId, durationMs: length },
      source: {
        surface: isListed ? "player" : surface,
        list_id: isListed ? list.dataset.listId : null,
        rank: isListed ? Number(rank) : null,
        propensity: isListed && propensity ? Number(propensity) : null,
        organic: !isListed,
      },
    };
  }

  function play(pressed) {
    const row = pressed.closest("[data-track-id]");
    const { track } = segue.player.now();
    if (track && track.id === row.dataset.trackId) return segue.player.toggle();
    const rows = rowsOf(row.closest(LIST));
    return segue.player.playFrom(rows.map(itemOf), rows.indexOf(row));
  }

  // the list that stands nearest to a button, in its section
  function playAll(pressed, isShuffled) {
    const section = pressed.closest(`section:has(${LIST}), main, body`);
    const items = rowsOf(section.querySelector(LIST)).map(itemOf);
    if (!items.length) return segue.player.say("There is nothing to play here");
    if (isShuffled) segue.player.shuffle(true);
    const at = isShuffled ? Math.floor(Math.random() * items.length) : 0;
    return segue.player.playFrom(items, at);
  }

  function toggle() {
    if (segue.player.now().track) return segue.player.toggle();
    const first = document.querySelector(`${LIST} [data-do="play"]`);
    return first ? first.click() : segue.player.say("There is nothing to play yet");
  }

  Object.assign(segue.does, {
    play,
    toggle,
    "play-all": (pressed) => playAll(pressed, false),
    "shuffle-all": (pressed) => playAll(pressed, true),
  });
  segue.itemOf = itemOf;

  // the player's own track is on already: there is nothing to queue
  const isRow = (_track, row) => row !== null;
  const enqueue = (how = {}) => (_track, row) => segue.player.enqueue([itemOf(row)], how);
  segue.menu.add({ order: 10, label: () => "Play next", when: isRow, act: enqueue({ next: true }) });
  segue.menu.add({ order: 11, label: () => "Add to queue", when: isRow, act: enqueue() });
})();
