// The menu of a track: "⋯" in each row and in the player. Others add what it offers.
(() => {
  "use strict";
  const segue = (window.segue = window.segue || {});
  const entries = [];
  const menu = document.createElement("div");
  menu.id = "track-menu";
  menu.hidden = true;
  menu.setAttribute("role", "menu");
  document.body.append(menu);
  let opener = null;
  let place = ""; // where its like is, should Dash build the rows anew meanwhile

  // { order, label(track, row), when(track, row), act(track, row) }; the player has no row
  segue.menu = {
    add(entry) {
      entries.push(entry);
      entries.sort((one, other) => one.order - other.order);
    },
    back, // to where it was opened, for what came after it
  };

  segue.menu.add({
    order: 80,
    label: ({ artist }) => `Go to ${artist}`,
    when: ({ artistId }) => artistId,
    act: ({ artistId }) => segue.open(`/artist/${encodeURIComponent(artistId)}`),
  });
  segue.menu.add({
    order: 81,
    label: ({ title }) => `More like ${title}`,
    act: ({ id }) => segue.open(`/track/${encodeURIComponent(id)}`),
  });

  function trackOf(row) {
    if (!row) return segue.player.now().track;
    const { trackId, title, artist, album, artistId, albumId, durationMs } = row.dataset;
    const length = durationMs ? Number(durationMs) : null;
    return { id: trackId, title, artist, album, artistId, albumId, durationMs: length };
  }

  function open(button) {
    const row = button.closest("[data-track-id]");
    const track = trackOf(row);
    if (!track) return;
    const offered = entries.filter(({ when }) => !when || when(track, row));
    menu.setAttribute("aria-label", `What to do with ${track.title}`);
    menu.replaceChildren(...offered.map((entry) => item(entry, track, row)));
    opener = button;
    place = placeOf(row);
    opener.setAttribute("aria-expanded", "true");
    menu.hidden = false;
    put(button.getBoundingClientRect());
    menu.firstChild.focus();
  }

  function placeOf(row) {
    if (!row) return '#player [data-do="menu"]';
    const list = row.closest("[data-track-list]").dataset.trackList;
    return `[data-track-list="${list}"] [data-track-id="${CSS.escape(row.dataset.trackId)}"] [data-do="menu"]`;
  }

  function item({ label, act }, track, row) {
    const button = document.createElement("button");
    button.type = "button";
    button.tabIndex = -1;
    button.setAttribute("role", "menuitem");
    button.textContent = label(track, row);
    button.addEventListener("click", () => {
      close();
      act(track, row);
    });
    return button;
  }

  // below the button where there is room, else above it; never outside the window
  function put(at) {
    const { offsetWidth: width, offsetHeight: height } = menu;
    const below = at.bottom + height + 8 <= innerHeight;
    menu.style.top = `${Math.max(8, below ? at.bottom + 4 : at.top - height - 4)}px`;
    menu.style.left = `${Math.max(8, Math.min(at.right - width, innerWidth - width - 8))}px`;
  }

  function close() {
    if (menu.hidden) return;
    menu.hidden = true;
    opener.setAttribute("aria-expanded", "false");
    back();
  }

  function back() {
    const again = opener.isConnected ? opener : document.querySelector(place);
    if (again) again.focus({ preventScroll: true });
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest('[data-do="menu"]');
    const isOpen = !menu.hidden;
    if (!menu.contains(event.target)) close();
    if (button && !(isOpen && button === opener)) open(button);
  });
  document.addEventListener("scroll", (event) => event.target !== menu && close(), true);

  const steps = { ArrowDown: 1, ArrowUp: -1 };
  menu.addEventListener("keydown", (event) => {
    const items = [...menu.children];
    const at = items.indexOf(document.activeElement);
    event.stopPropagation(); // the player's shortcuts rest
    if (event.key in steps) items.at((at + steps[event.key]) % items.length).focus();
    else if (event.key === "Home") items[0].focus();
    else if (event.key === "End") items.at(-1).focus();
    else if (event.key === "Escape" || event.key === "Tab") close();
    else return;
    event.preventDefault();
  });
})();
