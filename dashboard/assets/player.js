// The player: two audio elements outside React, so that music survives page changes,
// and the events that tell the engine what was heard. player_bar.js is its face.
(() => {
  "use strict";
  const segue = (window.segue = window.segue || {});
  const PROGRESS_MS = 10000;
  const PRELOAD_S = 8;
  const KEPT = 50;
  const audios = [new Audio(), new Audio()];
  const session = crypto.randomUUID ? crypto.randomUUID() : String(Math.random()).slice(2);
  const tabs = "BroadcastChannel" in window ? new BroadcastChannel("segue-player") : null;
  const { recall, keep } = segue.memory;
  const me = segue.listener(); // of this page; another tab may log in as somebody else

  let audio = audios[0];
  let play = null; // what is on: track, source, who listens, how much was heard
  let queue = []; // the list as it was when play was pressed
  let heard = []; // track ids of this session, newest last
  let past = []; // for "previous"
  let upcoming = null; // chosen and preloaded
  let isChoosing = false;

  // the bar puts its own in: what has changed, and a word to the listener
  const face = { changed() {}, say() {} };
  const newId = () => (crypto.randomUUID ? crypto.randomUUID() : `${Date.now()}-${Math.random()}`);
  const ms = (seconds) => Math.max(0, Math.round(seconds * 1000));
  const lengthMs = () =>
    Number.isFinite(audio.duration) ? ms(audio.duration) : play.track.durationMs;

  // --- events -----------------------------------------------------------------
  function eventOf(action) {
    return {
      schema: 1,
      event_id: newId(),
      user_id: play.listener,
      track_id: play.track.id,
      session_id: session,
      play_id: play.id,
      action,
      played_ms: ms(play.heardS),
      duration_ms: lengthMs(),
      position_ms: ms(audio.currentTime),
      event_time: new Date().toISOString(),
      source: play.source,
    };
  }

  function tell(action) {
    play.toldMs = ms(play.heardS);
    segue.outbox.add(eventOf(action));
  }

  // time counts as heard while the playhead runs, not where it jumps
  function account() {
    if (!play) return;
    const step = audio.currentTime - play.lastAtS;
    if (step > 0 && !audio.seeking) play.heardS += step;
    play.lastAtS = audio.currentTime;
  }

  // --- one play -----------------------------------------------------------------
  function begin(next) {
    leave();
    play = {
      ...next,
      id: newId(),
      listener: me,
      heardS: 0,
      toldMs: 0,
      lastAtS: 0,
      isStarted: false,
    };
    heard = [...heard.filter((id) => id !== next.track.id), next.track.id].slice(-KEPT);
    const address = mediaAddress(next.track);
    const other = audios.find((each) => each !== audio);
    if (other.dataset.address === address && other.currentTime === 0) audio = other;
    else load(audio, address);
    upcoming = null;
    start();
    face.changed();
  }

  const mediaAddress = (track) => `/media/${encodeURIComponent(track.id)}`;

  function load(target, address) {
    target.dataset.address = address;
    target.preload = "auto";
    target.src = address;
  }

  function start() {
    for (const each of audios) if (each !== audio) each.pause();
    audio.volume = recall("volume", 1);
    audio.play().catch((error) => {
      if (error.name === "NotAllowedError") face.say("Press play to start");
      else if (error.name !== "AbortError") face.say("This track cannot be played");
    });
  }

  // a track is left before its end: that is a skip, whoever did it
  function leave() {
    if (!play) return;
    account();
    if (play.isStarted) tell("skipped");
    retire();
  }

  function retire() {
    past = [...past, { track: play.track, source: play.source }].slice(-KEPT);
    play = null;
    audio.pause();
    audio.dataset.address = "";
  }

  // --- what comes next ----------------------------------------------------------
  async function choose() {
    if (play && play.from !== "for-you" && play.from !== "past") {
      const at = queue.findIndex((each) => each.track.id === play.track.id);
      if (queue[at + 1]) return queue[at + 1];
    }
    const fresh = await segue.recommended();
    const isNew = (each) => !heard.includes(each.track.id);
    return fresh.find(isNew) || queue.find(isNew) || null;
  }

  async function next() {
    if (isChoosing) return;
    isChoosing = true;
    try {
      const chosen = await choose();
      if (chosen) begin(chosen);
      else {
        leave();
        face.say("The list has come to its end");
        face.changed();
      }
    } finally {
      isChoosing = false;
    }
  }

  function previous() {
    if (play && audio.currentTime > 3) return seek(0);
    const before = past.pop();
    if (before) begin({ ...before, from: "past" });
    return undefined;
  }

  async function prepare() {
    const left = audio.duration - audio.currentTime;
    if (!(left < PRELOAD_S) || upcoming || isChoosing) return;
    upcoming = "choosing";
    const mine = play;
    const chosen = await choose();
    if (play !== mine) return;
    upcoming = chosen;
    const other = audios.find((each) => each !== audio);
    if (chosen) load(other, mediaAddress(chosen.track));
  }

  // --- what people do -------------------------------------------------------------
  function toggle() {
    if (audio.paused) start();
    else audio.pause();
  }

  function seek(seconds) {
    if (!play) return;
    account();
    audio.currentTime = Math.max(0, Math.min(seconds, audio.duration || 0));
    if (play.isStarted) tell("progressed");
    face.changed();
  }

  function like() {
    if (!play) return;
    const liked = likes();
    const isLiked = liked.includes(play.track.id);
    account();
    tell(isLiked ? "unliked" : "liked");
    const others = liked.filter((id) => id !== play.track.id);
    keepLikes(isLiked ? others : [...others, play.track.id]);
    face.say(isLiked ? "No longer liked" : "Liked: the list follows");
    face.changed();
  }

  function dislike() {
    if (!play) return;
    account();
    keepLikes(likes().filter((id) => id !== play.track.id));
    tell("disliked");
    face.say("Less of this");
    next();
  }

  function setVolume(volume) {
    audio.volume = volume;
    keep("volume", volume);
  }

  // play one of a list; the others are the queue
  function playFrom(list, chosen) {
    queue = list;
    begin(chosen);
  }

  const likes = () => recall(`likes.${me}`, []);
  const keepLikes = (ids) => keep(`likes.${me}`, ids.slice(-500));

  // --- what the audio elements say ---------------------------------------------------
  const onAudio = {
    playing() {
      if (!play.isStarted) {
        play.isStarted = true;
        tell("started");
      }
      if (tabs) tabs.postMessage({ playing: session });
      face.say("");
    },
    timeupdate() {
      account();
      if (play.isStarted && ms(play.heardS) - play.toldMs >= PROGRESS_MS) tell("progressed");
      prepare();
    },
    pause() {
      account();
      if (play.isStarted && !audio.ended) tell("progressed");
    },
    seeking() {
      play.lastAtS = audio.currentTime;
    },
    ended() {
      account();
      tell("completed");
      const chosen = upcoming && upcoming !== "choosing" ? upcoming : null;
      retire();
      if (chosen) begin(chosen);
      else next();
    },
    error() {
      face.say(`“${play.track.title}” cannot be played`);
      if (play.isStarted) leave();
      else retire();
    },
  };
  for (const each of audios)
    for (const [name, react] of Object.entries(onAudio))
      each.addEventListener(name, () => {
        if (each !== audio || !play) return;
        react();
        face.changed();
      });

  if (tabs)
    tabs.onmessage = ({ data }) => {
      if (data.playing === session || audio.paused) return;
      audio.pause();
      face.say("Playing in another tab");
    };

  // a reload goes on where it was, paused; a closed tab has told what was heard
  const resumeKey = `resume.${me}`;
  window.addEventListener("pagehide", () => {
    keep(resumeKey, null);
    if (!play) return;
    account();
    keep(resumeKey, { play, queue, heard, past, atS: audio.currentTime });
    if (play.isStarted && !audio.paused) segue.outbox.leave(eventOf("progressed"));
  });

  function resume() {
    const saved = recall(resumeKey, null);
    if (!saved || !saved.play) return;
    ({ play, queue, heard, past } = saved);
    load(audio, mediaAddress(play.track));
    audio.addEventListener(
      "loadedmetadata",
      () => {
        if (!play) return;
        audio.currentTime = saved.atS;
        play.lastAtS = saved.atS;
      },
      { once: true },
    );
    face.changed();
  }

  // before somebody logs out: what was heard is told while it may be
  async function rest() {
    if (!audio.paused) {
      const paused = new Promise((done) => audio.addEventListener("pause", done, { once: true }));
      audio.pause();
      await paused;
    }
    await segue.outbox.flush(); // what was on its way
    await segue.outbox.flush(); // what came while it was
  }

  segue.player = {
    face,
    rest,
    toggle,
    next,
    previous,
    seek,
    like,
    dislike,
    setVolume,
    playFrom,
    resume,
    now: () => ({
      track: play ? play.track : null,
      isPlaying: play !== null && !audio.paused && !audio.ended,
      isLiked: play !== null && likes().includes(play.track.id),
      canGoBack: play !== null || past.length > 0,
      atS: play ? audio.currentTime : 0,
      lengthS: play ? (lengthMs() || 0) / 1000 : 0,
    }),
  };
})();
