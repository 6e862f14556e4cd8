// The player: which track plays, what comes next, and what people do with it. Its face
// are player_bar.js and queue_drawer.js.
(() => {
  "use strict";
  const segue = (window.segue = window.segue || {});
  const PRELOAD_S = 8;
  const PLACE_S = 1;
  const RETRY_MS = 3000;
  const PATIENCE_MS = 500; // with a station that is slow: what it gave before plays on
  const KEPT = 50;
  const MOST_BROKEN = 5;
  const NETWORK = 2; // of MediaError
  const { recall, keep } = segue.memory;
  const me = segue.listener(); // of this page; another tab may log in as somebody else
  const audio = () => segue.music.audio();

  let item = null; // what the bar shows: track, source, from
  let play = null; // of it, from its first sound to its end
  let queue = null;
  let heard = []; // track ids, newest last
  let past = []; // for "previous"
  let placeS = 0; // where it is, as it was kept
  let asked = null; // the item for whose end the station was asked
  let isChoosing = false;
  let isCutOff = false; // what should play does not come through
  let nBroken = 0;

  const faces = [];
  const changed = () => faces.forEach((show) => show());
  const say = (text) => segue.player.say(text);
  let complaint = ""; // stands until music plays
  const complain = (text) => say((complaint = text));

  // --- what is kept --------------------------------------------------------------
  const store = () => keep(`queue.${me}`, { item, queue, heard, past });

  function storePlace() {
    placeS = audio().currentTime;
    keep(`place.${me}`, item && { id: item.track.id, atS: placeS });
  }

  // --- one track after another ------------------------------------------------------
  function begin(chosen, left) {
    leave();
    item = chosen;
    queue = left;
    placeS = 0;
    heard = [...heard.filter((id) => id !== item.track.id), item.track.id].slice(-KEPT);
    segue.music.open(item.track);
    store();
    start();
    refresh();
  }

  function start() {
    if (!item || isChoosing) return; // what was left does not begin once more
    isCutOff = false;
    if (!play) play = segue.plays.create(item, me, audio());
    segue.music.play().catch(({ name }) => {
      if (name === "NotAllowedError") complain("Press play to start");
    });
    changed();
  }

  // a play that has not ended is left early: that is a skip, whoever did it
  function leave() {
    end("skipped");
    if (item) past = [...past, item].slice(-KEPT);
    item = null;
    audio().pause();
  }

  function end(action, how) {
    if (play) play.end(action, how);
    play = null;
  }

  function stop(left, text) {
    leave();
    queue = left;
    segue.music.prepare(null);
    complain(text);
    store();
    storePlace();
    changed();
  }

  // --- what comes next ----------------------------------------------------------
  const ahead = () => segue.station.ahead(heard);

  function following() {
    const [first, left] = segue.queue.take(segue.queue.played(queue, item));
    return [first || ahead()[0] || null, left];
  }

  function goOn() {
    const [chosen, left] = following();
    if (chosen) begin(chosen, left);
    else stop(left, "The list has come to its end");
  }

  async function next() {
    if (isChoosing) return;
    isChoosing = true;
    const mine = item;
    // told first, so that the station knows of the skip when it is asked
    end("skipped");
    audio().pause();
    if (!segue.queue.take(segue.queue.played(queue, item))[0])
      await Promise.race([segue.station.renew(heard), segue.later(PATIENCE_MS)]);
    isChoosing = false;
    if (item === mine) goOn();
  }

  function previous() {
    if (item && audio().currentTime > 3) return seek(0);
    const before = past[past.length - 1];
    if (!before) return undefined;
    const earlier = past.slice(0, -1);
    begin(before, item ? segue.queue.back(queue, item, before) : queue);
    past = earlier;
    return store();
  }

  // asks the station again; what plays now is never touched
  async function refresh(only) {
    if (only && only !== segue.station.now()) return;
    await segue.station.renew(heard);
    prepare();
    changed();
  }

  // the next one is loaded shortly before the end, and dropped if it is no longer next
  function prepare() {
    const leftS = item ? segue.music.lengthS(audio(), item.track) - audio().currentTime : NaN;
    if (!(leftS < PRELOAD_S)) return;
    const [chosen] = queue.repeat === "one" ? [item] : following();
    segue.music.prepare(chosen && chosen.track);
    if (asked === item) return;
    asked = item;
    refresh();
  }

  // --- what people do -------------------------------------------------------------
  const toggle = () => (audio().paused ? start() : pause());

  function pause() {
    isCutOff = false;
    audio().pause();
  }

  function seek(seconds) {
    if (!item) return;
    if (play) play.account();
    const endS = segue.music.lengthS(audio(), item.track) || 0;
    audio().currentTime = Math.max(0, Math.min(seconds, endS));
    if (play) play.seek();
    storePlace();
    changed();
  }

  // what is said about a track belongs to its play, if it plays
  function react(action, about) {
    if (!play || about.track.id !== item.track.id) return segue.plays.say(about, me, action);
    play.account();
    return play.tell(action);
  }

  // one of a list: what follows it is the queue. A list that follows is asked again
  function playFrom(list, at) {
    if (list[at].from !== "for-you") return begin(...segue.queue.from(queue, list, at));
    segue.station.tune(null);
    return begin(list[at], segue.queue.byHand(queue));
  }

  function setStation(station) {
    segue.station.tune(station);
    return edit(segue.queue.byHand(queue));
  }

  function edit(edited) {
    queue = edited;
    store();
    changed();
    return refresh();
  }

  function enqueue(items, how = {}) {
    const wanted = queue.items.length + items.length;
    edit(segue.queue.enqueue(queue, items, how));
    const isFull = queue.items.length < wanted;
    if (!item) return goOn();
    if (how.next) return say("Plays next");
    return say(isFull ? `The queue is full: it holds ${queue.items.length}` : "Added to the queue");
  }

  function sounded(set) {
    set();
    changed();
  }

  // --- what the audio elements say ---------------------------------------------------
  segue.music.listen({
    playing() {
      if (!play) return;
      nBroken = 0;
      play.start();
      segue.tabs.play();
      if (complaint) complain("");
      changed();
    },
    timeupdate() {
      if (play) play.goOn();
      if (play && Math.abs(audio().currentTime - placeS) >= PLACE_S) storePlace();
      prepare();
      changed();
    },
    pause() {
      if (play && !audio().ended) play.pause();
      changed();
    },
    seeking() {
      if (play) play.jump();
    },
    ended() {
      if (!play || !play.isStarted || !audio().ended) return;
      end("completed");
      if (queue.repeat === "one") begin(item, queue);
      else if (following()[0]) goOn();
      else next();
    },
    loadedmetadata: changed,
    error: fail,
  });

  async function fail() {
    const mine = item;
    const error = audio().error;
    if (!mine || !error) return;
    const atS = play ? play.lastAtS : placeS;
    const isCut = error.code === NETWORK || !(await segue.music.isReachable(mine.track));
    if (item !== mine) return;
    if (isCut) cutOff();
    else if (segue.music.canFallBack(mine.track)) {
      segue.music.fallBack(mine.track, atS);
      if (play) start();
    } else pass();
  }

  function cutOff() {
    isCutOff = play !== null;
    complain("The music does not come through; it goes on by itself when it does");
    setTimeout(retry, RETRY_MS);
  }

  function retry() {
    if (isCutOff) start();
  }

  // nobody judged a track that cannot be played
  function pass() {
    nBroken += 1;
    const isWanted = play !== null;
    end("progressed", "broken");
    say(`“${item.track.title}” cannot be played`);
    if (!isWanted) return;
    if (nBroken < MOST_BROKEN) next();
    else stop(queue, `${nBroken} tracks in a row cannot be played`);
  }

  window.addEventListener("online", retry);
  // --- the page comes and goes ---------------------------------------------------------
  // a reload goes on where it was, paused; pressing play begins another play
  window.addEventListener("segue:ready", () => {
    queue = segue.queue.empty;
    const saved = recall(`queue.${me}`, null);
    if (saved) ({ item, queue, heard, past } = saved);
    const place = recall(`place.${me}`, null);
    if (item && place && place.id === item.track.id) placeS = place.atS;
    if (item) segue.music.open(item.track, placeS);
    segue.plays.rescue(me);
    refresh();
  });

  window.addEventListener("pagehide", () => {
    if (item && play) storePlace();
    if (play) play.leave();
    play = null;
    audio().pause();
  });

  // before somebody logs out: what was heard is told while it may be
  async function rest() {
    pause();
    if (item && play) storePlace();
    end("progressed", "closed");
    await segue.outbox.flush(); // what was on its way
    await segue.outbox.flush(); // what came while it was
  }

  segue.player = {
    ...{ toggle, start, pause, next, previous, seek, react, rest, refresh },
    ...{ playFrom, setStation, enqueue, complain, changed },
    say() {}, // a word to the listener; the bar puts its own in
    item: () => item,
    watch: (show) => faces.push(show),
    remove: (at) => edit(segue.queue.remove(queue, at)),
    move: (at, to) => edit(segue.queue.move(queue, at, to)),
    clear: () => edit(segue.queue.clear(queue)),
    playAt: (at) => begin(...segue.queue.jump(segue.queue.played(queue, item), at)),
    playAhead: (at) => begin(ahead()[at], segue.queue.played(queue, item)),
    shuffle: (isShuffled) => edit(segue.queue.shuffle(queue, isShuffled)),
    repeat: () => edit(segue.queue.repeat(queue)),
    volume: () => recall("volume", 1),
    setVolume: (volume) => sounded(() => segue.music.setVolume(volume)),
    mute: () => sounded(() => segue.music.setMuted(!recall("muted", false))),
    now: () => ({
      track: item && item.track,
      isPlaying: item !== null && !audio().paused && !audio().ended,
      canGoBack: item !== null || past.length > 0,
      isMuted: recall("muted", false),
      volume: recall("volume", 1),
      atS: item ? audio().currentTime : 0,
      lengthS: item ? segue.music.lengthS(audio(), item.track) || 0 : 0,
    }),
    plan: () => ({ ...queue, station: segue.station.now(), ahead: ahead() }),
  };
})();
