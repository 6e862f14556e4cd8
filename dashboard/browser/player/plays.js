// One play of a track: what was really heard of it, and the events that tell so. A play
// that has started ends once: `completed`, `skipped`, or for a page that goes away, which
// judges nothing, a last `progressed` whose source says how it ended.
(() => {
  "use strict";
  const segue = (window.segue = window.segue || {});
  const PROGRESS_MS = 10000;
  const KEEP_MS = 1000;
  const BEACON_MS = 3000;
  const UNLOCKED_MS = 24 * 3600 * 1000; // without locks (no https) only what is surely over
  const FAREWELLS = "farewells";
  const session = segue.newId();

  const lockName = (id) => `segue-play-${id}`;
  const ms = (seconds) => Math.max(0, Math.round(seconds * 1000));

  const eventOf = (item, listener, more) => ({
    schema: 1,
    event_id: segue.newId(),
    user_id: listener,
    track_id: item.track.id,
    session_id: session,
    event_time: new Date().toISOString(),
    duration_ms: item.track.durationMs,
    source: item.source,
    ...more,
  });

  function create(item, listener, audio) {
    const play = { heardS: 0, lastAtS: audio.currentTime, isStarted: false, isOver: false };
    const id = segue.newId();
    const endId = segue.newId(); // whoever tells the end, and however often, it is one event
    let toldMs = 0;
    let keptAt = 0;
    let free = () => {};

    const now = (action, more) =>
      eventOf(item, listener, {
        play_id: id,
        action,
        played_ms: ms(play.heardS),
        duration_ms: ms(segue.music.lengthS(audio, item.track)) || null,
        position_ms: ms(audio.currentTime),
        ...more,
      });

    const endOf = (action, how) =>
      now(action, {
        event_id: endId,
        ...(how ? { source: { ...item.source, end: how } } : {}),
      });

    // time counts as heard while the playhead runs, not where it jumps or waits
    play.account = () => {
      const step = audio.currentTime - play.lastAtS;
      if (step > 0 && !audio.seeking) play.heardS += step;
      play.lastAtS = audio.currentTime;
    };
    play.jump = () => (play.lastAtS = audio.currentTime);

    play.tell = (action) => {
      toldMs = ms(play.heardS);
      segue.outbox.add(now(action));
    };

    play.start = () => {
      if (play.isStarted) return;
      play.isStarted = true;
      // who holds the lock lives: what nobody holds was killed
      const held = () => play.isOver || new Promise((done) => (free = done));
      if (navigator.locks) navigator.locks.request(lockName(id), held);
      play.tell("started");
      keep();
    };

    // the end as it would be if this were the last moment
    function keep() {
      keptAt = Date.now();
      segue.vault.put(`play.${id}`, endOf("progressed", "killed"));
    }

    play.goOn = () => {
      play.account();
      if (!play.isStarted) return;
      if (Date.now() - keptAt >= KEEP_MS) keep();
      if (ms(play.heardS) - toldMs >= PROGRESS_MS) play.tell("progressed");
    };

    play.pause = () => {
      play.account();
      if (!play.isStarted) return;
      play.tell("progressed");
      keep();
    };
    play.seek = () => {
      play.jump();
      if (play.isStarted) play.tell("progressed");
    };

    function over() {
      play.account();
      play.isOver = true;
      return play.isStarted;
    }

    play.end = (action, how) => {
      if (play.isOver || !over()) return;
      segue.outbox.add(endOf(action, how));
      segue.vault.drop(`play.${id}`).then(free);
    };

    // the page goes away: no answer will be heard, so it is kept as well, until a cookie
    // of the answer tells the next page that it has arrived
    play.leave = () => {
      if (play.isOver || !over()) return;
      const event = endOf("progressed", "closed");
      const { recall, keep: remember } = segue.memory;
      remember(FAREWELLS, { ...recall(FAREWELLS, {}), [id]: event });
      segue.outbox.wave(event);
      free(); // another page may take it up
    };
    return play;
  }

  // --- plays that ended with their page, or with the browser --------------------------
  const farewells = () => segue.memory.recall(FAREWELLS, {});

  async function settle(id) {
    const farewell = farewells()[id];
    if (farewell) await segue.later(Date.parse(farewell.event_time) + BEACON_MS - Date.now());
    const event = farewells()[id] || (await segue.vault.get(`play.${id}`));
    if (!event) return; // another page was here
    if (!document.cookie.includes(`segue_taken=${event.event_id}`)) segue.outbox.add(event);
    await segue.vault.drop(`play.${id}`);
    const { [id]: _told, ...others } = farewells();
    segue.memory.keep(FAREWELLS, others);
  }

  // waits for the page that holds a play, if there is one, and tells its end after it
  async function rescue(listener) {
    const running = await segue.vault.all("play.");
    const left = new Map([...running, ...Object.values(farewells())].map((e) => [e.play_id, e]));
    for (const [id, event] of left) {
      if (event.user_id !== listener || event.session_id === session) continue;
      if (navigator.locks) navigator.locks.request(lockName(id), () => settle(id));
      else if (Date.now() - Date.parse(event.event_time) > UNLOCKED_MS) settle(id);
    }
  }

  // a word about a track that is not on
  const say = (item, listener, action, more) =>
    segue.outbox.add(eventOf(item, listener, { play_id: segue.newId(), action, ...more }));

  segue.plays = { create, say, rescue, session };
})();
