// The keys of keyboards, headphones and lock screens, and what these show.
(() => {
  "use strict";
  const segue = (window.segue = window.segue || {});
  const STEP_S = 10;
  const DRIFT_S = 1;
  const session = navigator.mediaSession;
  if (!session) return;
  const { player } = segue;
  const by = (seconds) => player.seek(player.now().atS + seconds);

  const reactions = {
    play: () => player.now().isPlaying || segue.does.toggle(),
    pause: () => player.pause(),
    stop: () => player.pause(),
    nexttrack: () => player.next(),
    previoustrack: () => player.previous(),
    seekbackward: ({ seekOffset }) => by(-(seekOffset || STEP_S)),
    seekforward: ({ seekOffset }) => by(seekOffset || STEP_S),
    seekto: ({ seekTime }) => player.seek(seekTime),
  };
  for (const [name, react] of Object.entries(reactions)) session.setActionHandler(name, react);

  let shown = null; // track, state and place that were told last
  function show() {
    const { track, isPlaying, atS, lengthS } = player.now();
    if (!track || !shown || track.id !== shown.track.id) tell(track);
    session.playbackState = track ? (isPlaying ? "playing" : "paused") : "none";
    if (!track || !(lengthS > 0)) return;
    const expectedS = shown ? shown.atS + (shown.isPlaying ? (Date.now() - shown.at) / 1000 : 0) : NaN;
    const isKnown = shown && shown.isPlaying === isPlaying && shown.lengthS === lengthS;
    if (isKnown && shown.track.id === track.id && Math.abs(expectedS - atS) < DRIFT_S) return;
    shown = { track, isPlaying, atS, lengthS, at: Date.now() };
    session.setPositionState({ duration: lengthS, position: Math.min(atS, lengthS) });
  }

  function tell(track) {
    session.metadata = track && new MediaMetadata({
      title: track.title,
      artist: track.artist,
      album: track.album || "",
      artwork: [{ src: `/covers/${encodeURIComponent(track.id)}` }],
    });
  }
  player.watch(show);
})();
