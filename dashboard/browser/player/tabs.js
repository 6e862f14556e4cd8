// One tab plays at a time: who begins says so, and the others pause.
(() => {
  "use strict";
  const segue = (window.segue = window.segue || {});
  const tabs = "BroadcastChannel" in window ? new BroadcastChannel("segue-player") : null;

  segue.tabs = { play: () => tabs && tabs.postMessage({ playing: segue.plays.session }) };
  if (tabs)
    tabs.onmessage = () => {
      if (!segue.player.now().isPlaying) return;
      segue.player.pause();
      segue.player.complain("Playing in another tab");
    };
})();
