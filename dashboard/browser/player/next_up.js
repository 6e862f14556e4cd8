// What comes when the queue has come to its end: the station goes on. A station is
// `{name, more: async (heardIds) => items}`; without another one it is "For you".
(() => {
  "use strict";
  const segue = (window.segue = window.segue || {});
  const WAIT_MS = 3000;

  // the listener's list as it is now, as tracks that the player can play
  segue.recommended = async () => {
    const address = `/api/recommendations/${encodeURIComponent(segue.listener())}`;
    const answer = await fetch(address, { signal: AbortSignal.timeout(WAIT_MS) });
    if (!answer.ok) throw new Error(`no list of recommendations: ${answer.status}`);
    const list = await answer.json();
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
  };

  const forYou = { name: "For you", more: () => segue.recommended() };
  let station = forYou;
  let ahead = []; // what it gave when it was last asked
  let nAsked = 0;
  let nTaken = 0;

  // asks anew; while it does not answer, what it gave before is still good, and an answer
  // is good until that to a later question has come
  async function renew(heard) {
    const mine = (nAsked += 1);
    const asked = station;
    try {
      const given = await asked.more(heard);
      if (asked !== station || mine < nTaken) return;
      nTaken = mine;
      ahead = given;
    } catch {
      // the network is away, or the server
    }
  }

  segue.station = {
    forYou,
    renew,
    now: () => station,
    tune(chosen) {
      station = chosen || forYou;
      ahead = [];
    },
    ahead: (heard) => ahead.filter((each) => !heard.includes(each.track.id)),
  };
})();
