// The listener's list as it is now, as tracks that the player can play.
(() => {
  "use strict";
  const segue = (window.segue = window.segue || {});

  segue.recommended = async () => {
    try {
      const address = `/api/recommendations/${encodeURIComponent(segue.listener())}`;
      const answer = await fetch(address);
      const list = answer.ok ? await answer.json() : { items: [] };
      return list.items.map((item) => ({
        from: "for-you",
        track: {
          id: item.track_id,
          title: item.title,
          artist: item.artist,
          album: item.album,
          durationMs: item.duration_ms,
        },
        source: {
          surface: "player",
          list_id: list.list_id,
          rank: item.rank,
          propensity: item.propensity,
          organic: false,
        },
      }));
    } catch {
      return [];
    }
  };
})();
