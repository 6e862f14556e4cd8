// The rows of a playlist as elements; there may be thousands, so Dash does not build
// them. They look like those of dashboard/rows.py.
(() => {
  "use strict";
  const segue = (window.segue = window.segue || {});

  const { element } = segue;
  const icon = (name) => element("span", { class: `icon icon-${name}` });
  const inPath = encodeURIComponent;

  function way(text, kind, key, look) {
    if (!key) return element("span", { class: look }, text);
    return element("a", { class: `way ${look}`, href: `/${kind}/${inPath(key)}` }, text);
  }

  const button = (name, look, label, ...children) =>
    element("button", { type: "button", class: look, "data-do": name, "aria-label": label }, ...children);

  function cover({ track_id: id, title, artist, is_gone: isGone }) {
    if (isGone) return element("span", { class: "cover-gone" }, icon("blocked"));
    const image = element("img", {
      src: `/covers/${inPath(id)}`,
      alt: "",
      width: 56,
      height: 56,
      loading: "lazy",
    });
    return button("play", "cover", `Play ${title} by ${artist}`, image, icon("play"));
  }

  function words(row) {
    const { track_id: id, title, artist, album, artist_id: artistId, album_id: albumId } = row;
    if (row.is_gone) {
      const told = [title, artist].filter(Boolean).join(" · ");
      return element(
        "div",
        { class: "words" },
        element("p", { class: "title" }, element("span", {}, told || "A track")),
        element("p", { class: "by" }, "No longer in the library"),
      );
    }
    const by = [way(artist || "Unknown artist", "artist", artistId, "artist")];
    if (album) by.push(" · ", way(album, "album", albumId, ""));
    return element(
      "div",
      { class: "words" },
      element("p", { class: "title" }, way(title || "Untitled", "track", id, "")),
      element("p", { class: "by" }, ...by),
    );
  }

  const length = (ms) => (ms === null ? "-" : segue.clock(ms / 1000));

  // what the player and the menu read; a track that is gone is for neither
  const data = (row) =>
    row.is_gone
      ? { class: "track gone" }
      : {
          class: "track",
          "data-track-id": row.track_id,
          "data-title": row.title || "Untitled",
          "data-artist": row.artist || "Unknown artist",
          "data-album": row.album,
          "data-artist-id": row.artist_id || null,
          "data-album-id": row.album_id || null,
          "data-duration-ms": row.duration_ms,
        };

  function rowOf(row, isOwn) {
    const title = row.title || (row.is_gone ? "a track that is gone" : "Untitled");
    const made = element("li", data(row), cover(row), words(row));
    made.append(element("span", { class: "duration" }, row.is_gone ? "" : length(row.duration_ms)));
    if (isOwn) {
      made.prepend(button("playlist-grip", "grip", `Move ${title}: up and down keys, or drag`, icon("grip")));
      made.append(button("playlist-remove", "flat more-of remove", `Remove ${title}`, icon("remove")));
    }
    if (!row.is_gone) {
      const more = button("menu", "flat more-of", `More to do with ${title}`, icon("more"));
      more.setAttribute("aria-haspopup", "menu");
      more.setAttribute("aria-expanded", "false");
      made.append(more);
    }
    return made;
  }

  segue.playlistRow = rowOf;
})();
