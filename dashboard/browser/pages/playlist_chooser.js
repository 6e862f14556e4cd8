// "Add to playlist…" in the menu of a track, and playlists out of files.
(() => {
  "use strict";
  const segue = (window.segue = window.segue || {});
  const MAX_FILE_BYTES = 1e6;
  const tracks = (n) => `${n.toLocaleString("en")} track${n === 1 ? "" : "s"}`;

  // --- a track into a playlist ----------------------------------------------------------
  async function choose(track) {
    const told = await segue.attempt(() => segue.ask("/api/playlists"));
    if (told) show(track, told.playlists);
  }

  function show(track, playlists) {
    const { element } = segue;
    const dialog = element("dialog", { id: "chooser", "aria-labelledby": "chooser-title" });
    const done = (work) => {
      dialog.close();
      segue.attempt(work);
    };
    const list = playlists.map((each) => {
      const button = element(
        "button",
        { type: "button" },
        element("span", {}, each.name),
        element("span", {}, tracks(each.n_tracks)),
      );
      button.addEventListener("click", () => done(() => add(track, each)));
      return element("li", {}, button);
    });
    const name = element("input", { name: "name", placeholder: "New playlist", "aria-label": "Name of a new playlist", maxlength: 200, required: "", autocomplete: "off" });
    const form = element("form", { method: "dialog" }, name, element("button", { class: "main-button" }, "Create"));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      done(() => create(track, name.value));
    });
    const close = element("button", { type: "button", class: "quiet-button close" }, "Cancel");
    close.addEventListener("click", () => dialog.close());
    // a click beside it closes it; in it, its content is clicked
    dialog.addEventListener("click", ({ target }) => target === dialog && dialog.close());
    dialog.addEventListener("keydown", (event) => event.stopPropagation()); // the player's shortcuts rest
    dialog.addEventListener("close", () => {
      dialog.remove();
      segue.menu.back();
    });
    const title = element("h2", { id: "chooser-title" }, `Add “${track.title}” to a playlist`);
    dialog.append(title, element("ul", {}, ...list), form, close);
    document.body.append(dialog);
    dialog.showModal();
    (dialog.querySelector("li button") || name).focus();
  }

  async function add(track, { key, name }) {
    const path = `/api/playlists/${key}`;
    const { version, at } = await segue.ask(`${path}/add`, { track_ids: [track.id] });
    const undo = { place: at, track_id: track.id, version };
    segue.toast(`Added to “${name}”`, {
      label: "Undo",
      act: () => segue.attempt(() => segue.ask(`${path}/remove`, undo)),
    });
  }

  async function create(track, called) {
    const { key, name } = await segue.ask("/api/playlists", { name: called, track_ids: [track.id] });
    segue.toast(`Added to “${name}”`, {
      label: "Undo",
      act: () => segue.attempt(() => segue.ask(`/api/playlists/${key}/delete`, {})),
    });
  }

  segue.menu.add({ order: 20, label: () => "Add to playlist…", act: choose });

  // --- a playlist out of a file ---------------------------------------------------------
  segue.importPlaylist = () => {
    const picker = segue.element("input", { type: "file", accept: ".m3u,.m3u8,.jspf,.json" });
    picker.addEventListener("change", () => segue.attempt(() => upload(picker.files[0])));
    picker.click();
  };

  async function upload(file) {
    if (file.size > MAX_FILE_BYTES) throw new Error(`“${file.name}” is over 1 MB; a playlist file is smaller.`);
    const path = `/api/playlists/import?name=${encodeURIComponent(file.name)}`;
    const told = await segue.ask(path, file);
    if (told.unmatched.length) return tell(file.name, told);
    segue.open(`/playlist/${told.playlist.key}`);
    return segue.toast(`Imported ${tracks(told.matched)}`);
  }

  // what was not found is told by name, so that nothing is lost in silence
  function tell(fileName, { matched, unmatched, playlist }) {
    const { element } = segue;
    const words = element("p", {}, `${tracks(matched)} of “${fileName}” found. `);
    if (playlist) words.append(element("a", { href: `/playlist/${playlist.key}` }, `Open “${playlist.name}”`));
    document.getElementById("imported").replaceChildren(
      words,
      element("p", {}, `Not in the library (${unmatched.length.toLocaleString("en")}):`),
      element("ul", { tabindex: 0, "aria-label": "Not found" }, ...unmatched.map((each) => element("li", {}, each))),
    );
  }
})();
