// What the listener says about a track: the one that is on, or that of a row.
(() => {
  "use strict";
  const segue = (window.segue = window.segue || {});

  function like(item) {
    if (!item) return;
    const isLiked = segue.likes.has(item.track.id);
    segue.likes.set(item.track.id, !isLiked);
    segue.player.react(isLiked ? "unliked" : "liked", item);
    segue.player.say(isLiked ? "No longer liked" : "Liked: the list follows");
  }

  function dislike() {
    const item = segue.player.item();
    if (!item) return;
    segue.likes.set(item.track.id, false);
    segue.player.react("disliked", item);
    segue.player.say("Less of this");
    segue.player.next();
  }

  segue.menu.add({
    order: 30,
    label: ({ id }) => (segue.likes.has(id) ? "No longer like" : "Like"),
    act: (_track, row) => like(row ? segue.itemOf(row) : segue.player.item()),
  });
  Object.assign(segue.does, { like: () => like(segue.player.item()), dislike });
})();
