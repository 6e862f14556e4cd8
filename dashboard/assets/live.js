// The live page: says to the server what is looked at, puts what comes into the
// components, and keeps "3 s ago" true.
(() => {
  "use strict";
  const segue = (window.segue = window.segue || {});
  const LONGEST_RETRY_MS = 5000;
  let socket = null;
  let asked = "";
  let retryMs = 300;
  let bannerTimer = null;

  const LOG_IN_FIRST = 4401;

  // --- what is looked at --------------------------------------------------------------
  const shown = () => document.querySelector("[data-live]");

  // our own pages open without a reload, so that music goes on; dcc.Location listens
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href^='/']");
    if (!link || event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.shiftKey)
      return;
    event.preventDefault();
    if (link.pathname !== location.pathname) history.pushState({}, "", link.href);
    dispatchEvent(new PopStateEvent("popstate"));
    scrollTo(0, 0);
  });

  // --- the socket ---------------------------------------------------------------------
  function connect() {
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    socket = new WebSocket(`${scheme}://${location.host}/ws/live`);
    socket.onopen = () => {
      retryMs = 300;
      asked = "";
      ask();
    };
    let isKnown = false;
    socket.onmessage = ({ data }) => {
      isKnown = true;
      take(JSON.parse(data));
    };
    socket.onclose = ({ code }) => {
      // the log-in that this socket came with has ended; there may be a newer one
      if (code === LOG_IN_FIRST && !isKnown) {
        location.assign(`/log-in?next=${location.pathname}`);
        return;
      }
      say("Connection lost. Music goes on; the list catches up by itself.", 1500);
      setTimeout(connect, retryMs);
      retryMs = Math.min(retryMs * 2, LONGEST_RETRY_MS);
    };
  }

  function ask() {
    const page = shown();
    if (!page || !socket || socket.readyState !== WebSocket.OPEN) return;
    const wanted = JSON.stringify({ page: page.dataset.live });
    if (wanted === asked) return;
    asked = wanted;
    socket.send(wanted);
  }

  // nothing moves under a pressed finger: what comes meanwhile waits for the release
  let isPressed = false;
  let waiting = [];
  document.addEventListener("pointerdown", () => (isPressed = true), true);
  for (const end of ["pointerup", "pointercancel"])
    document.addEventListener(
      end,
      () => {
        isPressed = false;
        setTimeout(() => waiting.splice(0).forEach(take));
      },
      true,
    );

  function take(message) {
    if (isPressed) {
      waiting.push(message);
      return;
    }
    const { status, props } = message;
    if (status === "away") say("MongoDB does not answer. The page catches up by itself.", 0);
    else hush();
    for (const [id, values] of Object.entries(props)) {
      const list = id === "for-you" && document.getElementById(id);
      if (list) segue.drawList(list, values);
      else if (document.getElementById(id) || id === "library-stamp")
        window.dash_clientside.set_props(id, values);
    }
  }

  function say(text, afterMs) {
    clearTimeout(bannerTimer);
    bannerTimer = setTimeout(() => {
      const banner = document.getElementById("banner");
      banner.textContent = text;
      banner.hidden = false;
    }, afterMs);
  }

  function hush() {
    clearTimeout(bannerTimer);
    document.getElementById("banner").hidden = true;
  }

  // --- a page has changed ---------------------------------------------------------------
  function arrived() {
    const page = document.querySelector("[data-title]");
    if (!page) return;
    document.title = `${page.dataset.title} · Segue`;
    for (const link of document.querySelectorAll("a.nav")) {
      if (link.pathname === location.pathname) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
    ask();
  }

  new MutationObserver(() => {
    arrived();
    tick();
  }).observe(document.getElementById("react-entry-point"), {
    childList: true,
    subtree: true,
    attributeFilter: ["data-title", "data-since"],
  });

  // --- "3 s ago" ------------------------------------------------------------------------
  function ago(seconds) {
    if (seconds < 1.5) return "just now";
    if (seconds < 100) return `${Math.round(seconds)} s ago`;
    if (seconds < 5400) return `${Math.round(seconds / 60)} min ago`;
    if (seconds < 129600) return `${Math.round(seconds / 3600)} h ago`;
    return `${Math.round(seconds / 86400)} days ago`;
  }

  function tick() {
    for (const time of document.querySelectorAll("[data-since]")) {
      const text = ago((Date.now() - Date.parse(time.dataset.since)) / 1000);
      if (time.textContent !== text) time.textContent = text;
    }
  }
  setInterval(tick, 1000);
  connect();
})();
