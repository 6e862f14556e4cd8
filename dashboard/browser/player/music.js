// The two audio elements: one sounds, the other gets the next track ready. They live
// outside React, so that music survives page changes.
(() => {
  "use strict";
  const segue = (window.segue = window.segue || {});
  const { recall, keep } = segue.memory;
  const audios = [new Audio(), new Audio()];
  let audio = audios[0];

  const addressOf = (track) => `/media/${encodeURIComponent(track.id)}`;
  const spare = () => audios.find((each) => each !== audio);

  function load(target, address, atS = 0) {
    target.dataset.address = address;
    target.preload = "auto";
    target.src = address;
    if (!atS) return;
    const go = () => {
      if (target.dataset.address === address) target.currentTime = atS;
    };
    target.addEventListener("loadedmetadata", go, { once: true });
  }

  const music = {
    audio: () => audio,
    // what is made while it is sent has no length of its own
    lengthS: (each, track) =>
      Number.isFinite(each.duration) ? each.duration : (track.durationMs ?? NaN) / 1000,

    // the element that is ready comes to the front; else the track is loaded now
    open(track, atS = 0) {
      audio.pause();
      audio.dataset.address = "";
      const ready = spare();
      const address = addressOf(track);
      if (!atS && ready.dataset.address === address && !ready.error) audio = ready;
      else load(audio, address, atS);
    },

    // get a track ready, or none: what is no longer next is dropped
    prepare(track) {
      const wanted = track ? addressOf(track) : "";
      const ready = spare();
      if ((ready.dataset.address || "") === wanted) return;
      if (track) load(ready, wanted);
      else {
        ready.dataset.address = "";
        ready.removeAttribute("src");
        ready.load();
      }
    },

    // once for each track: the server turns what the browser cannot play into Opus
    canFallBack: (track) => audio.dataset.address === addressOf(track),
    fallBack: (track, atS) => load(audio, `${addressOf(track)}?form=opus`, atS),

    // an element says "not supported" of what does not come through, too
    async isReachable(track) {
      try {
        return (await fetch(addressOf(track), { method: "HEAD" })).status < 500;
      } catch {
        return false;
      }
    },

    play() {
      if (audio.error) load(audio, audio.dataset.address, audio.currentTime);
      return audio.play();
    },

    setVolume(volume) {
      const fitting = Math.min(1, Math.max(0, Math.round(volume * 100) / 100));
      for (const each of audios) each.volume = fitting;
      keep("volume", fitting);
      music.setMuted(false);
    },
    setMuted(isMuted) {
      for (const each of audios) each.muted = isMuted;
      keep("muted", isMuted);
    },

    // only what the element in front says counts
    listen(reactions) {
      for (const each of audios)
        for (const [name, react] of Object.entries(reactions))
          each.addEventListener(name, () => each === audio && react());
    },
  };
  for (const each of audios) {
    each.volume = recall("volume", 1);
    each.muted = recall("muted", false);
  }
  segue.music = music;
})();
