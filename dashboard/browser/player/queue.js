// The queue: what comes after the track that plays. Arithmetic only: each function takes
// a queue and returns another. `place` is where an entry stands in the order of its list,
// `done` are those that were played, for the next round.
(() => {
  "use strict";
  const segue = (window.segue = window.segue || {});
  const MOST = 500;
  const NEXT = { off: "all", all: "one", one: "off" };
  const empty = { items: [], done: [], isShuffled: false, repeat: "off" };

  // the lots are drawn once, so that what comes next stays what comes next
  const drawn = (items) => items.map((each) => ({ ...each, lot: Math.random() }));

  function arranged(items, isShuffled) {
    const by = isShuffled ? "lot" : "place";
    return [...items].sort((one, other) => one[by] - other[by]);
  }

  // one of a list is played: what follows it follows, after what was queued by hand
  function from(queue, list, at) {
    const placed = drawn(list.map((each, place) => ({ ...each, place })));
    const mine = byHand(queue).items;
    const others = queue.isShuffled
      ? arranged(placed.filter((each) => each.place !== at), true)
      : placed.slice(at + 1);
    const items = [
      ...mine.map((each, nth) => ({ ...each, place: nth - mine.length })),
      ...others,
    ].slice(0, MOST);
    const done = queue.isShuffled ? [] : placed.slice(0, at).slice(-MOST);
    return [placed[at], { ...queue, items, done }];
  }

  // the first, and what is left; with "repeat all" the played ones are the next round
  function take(queue) {
    const isRound = !queue.items.length && queue.repeat === "all";
    const items = isRound ? arranged(queue.done, queue.isShuffled) : queue.items;
    const done = isRound ? [] : queue.done;
    return items.length ? [items[0], { ...queue, items: items.slice(1), done }] : [null, queue];
  }

  // a station goes on: only what was queued by hand comes before it
  const byHand = (queue) => ({ ...queue, items: queue.items.filter((each) => each.isByHand), done: [] });

  const isSame = (one, other) => one.place === other.place && one.track.id === other.track.id;

  // what has been played; what a station gave is not of the queue
  function played(queue, item) {
    if (!item || item.place === undefined) return queue;
    return { ...queue, done: [...queue.done, item].slice(-MOST) };
  }

  // one step back: the track that played comes next
  function back(queue, item, before) {
    const done = queue.done.filter((each) => !isSame(each, before));
    const place = Math.min(0, ...queue.items.map((each) => each.place)) - 1;
    const first = { place, lot: 0, ...item };
    return { ...queue, items: [first, ...queue.items], done };
  }

  function enqueue(queue, items, { next = false } = {}) {
    const places = queue.items.map((each) => each.place);
    const start = next ? Math.min(0, ...places) - items.length : Math.max(-1, ...places) + 1;
    const placed = items.map((each, nth) => ({ ...each, place: start + nth, isByHand: true }));
    const added = drawn(placed);
    const all = next ? [...added, ...queue.items] : [...queue.items, ...added];
    return { ...queue, items: all.slice(0, MOST) };
  }

  const remove = (queue, at) => ({
    ...queue,
    items: queue.items.filter((_each, nth) => nth !== at),
  });

  // moved by hand; that is its order from now on, unless it is a shuffled one
  function move(queue, at, to) {
    const items = [...queue.items];
    items.splice(to, 0, ...items.splice(at, 1));
    if (queue.isShuffled) return { ...queue, items };
    const places = items.map((each) => each.place).sort((one, other) => one - other);
    return { ...queue, items: items.map((each, nth) => ({ ...each, place: places[nth] })) };
  }

  // one further down is played now: those before it have had their turn
  function jump(queue, at) {
    const passed = queue.items.slice(0, at);
    const left = queue.items.slice(at + 1);
    return [queue.items[at], { ...queue, items: left, done: [...queue.done, ...passed].slice(-MOST) }];
  }

  const clear = (queue) => ({ ...queue, items: [], done: [] });
  function shuffle(queue, isShuffled) {
    const [items, done] = [drawn(queue.items), drawn(queue.done)];
    return { ...queue, isShuffled, done, items: arranged(items, isShuffled) };
  }

  const repeat = (queue) => ({ ...queue, repeat: NEXT[queue.repeat] });

  segue.queue = {
    ...{ empty, from, byHand, take, played, back, enqueue, remove, move, jump, clear, shuffle, repeat },
  };
})();
