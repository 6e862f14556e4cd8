// The live page: says to the server what is looked at, puts what comes into the
// components, and keeps "3 s ago" true.
(() => {
  "use strict";
  const segue = (window.segue = window.segue || {});
  const LONGEST_RETRY_MS = 5000;
  const PATIENCE_MS = 500;
  let socket = null;
  let asked = "";
  let retryMs = 300;
  let bannerTimer = null;

  let isAway = false; // the server, or what it reads
  let isPromised = false; // that the page of the address will come

  const LOG_IN_FIRST = 4401;
  const LONGEST_QUERY = 400; // the server says so of one that is longer

  // --- what is looked at --------------------------------------------------------------
  const shown = () => document.querySelector("[data-live]");
  // our own pages open without a reload, so that music goes on; dcc.Location listens
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href^='/']:not([download])");
    if (!link || event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.shiftKey)
      return;
    event.preventDefault();
    segue.open(link.pathname + link.search);
  });

  segue.open = (path) => {
    if (segue.first.isAlone() && !segue.player.now().isPlaying) {
      location.assign(path);
      return;
    }
    const isElsewhere = path !== location.pathname + location.search;
    const isQuery = isElsewhere && path.split("?")[0] === location.pathname;
    if (isElsewhere) history.pushState({}, "", path);
    dispatchEvent(new PopStateEvent("popstate"));
    if (!isElsewhere) askForPage();
    if (!isQuery) scrollTo(0, 0);
  };
  // another question on the same page changes nothing in it yet
  addEventListener("popstate", () => ask());

  // --- a page that did not come -----------------------------------------------------------
  const isThere = () => document.querySelector(`.content > [data-at="${CSS.escape(location.pathname)}"]`) !== null;

  // dcc.Location has the address already: only when it is set is Dash's router asked again
  function askForPage() {
    if (!segue.first.isAlone() && !isThere())
      window.dash_clientside.set_props("location", { pathname: location.pathname });
  }

  function lost(afterMs) {
    isPromised = !isThere();
    if (isPromised) say("This page cannot be opened now; it opens by itself when the connection is back.", afterMs);
    else say("Connection lost. Music goes on; the list catches up by itself.", afterMs);
  }

  const isCut = () => !navigator.onLine || (socket !== null && socket.readyState !== WebSocket.OPEN);
  window.addEventListener("popstate", () => isCut() && lost(PATIENCE_MS));
  window.addEventListener("online", askForPage);

  // --- the socket ---------------------------------------------------------------------
  const me = segue.listener();
  function connect() {
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    socket = new WebSocket(`${scheme}://${location.host}/ws/live`);
    socket.onopen = () => {
      // somebody else has logged in meanwhile: nothing of theirs belongs on this page
      if (segue.listener() !== me) return location.reload();
      retryMs = 300;
      asked = "";
      return ask();
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
      isAway = true;
      lost(1500);
      setTimeout(connect, retryMs);
      retryMs = Math.min(retryMs * 2, LONGEST_RETRY_MS);
    };
  }

  // a page without a view says so: what comes back is only what differs from what was sent
  function ask() {
    if (!socket || socket.readyState !== WebSocket.OPEN) return;
    const { live: page = "", liveKey = "", liveQuery } = shown() ? shown().dataset : {};
    // of a page that answers questions, the address has the question
    if (liveQuery && liveQuery !== location.pathname) return; // the next page is on its way
    const key = liveQuery ? location.search.slice(1, LONGEST_QUERY + 2) : liveKey;
    const wanted = JSON.stringify({ page, key });
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
        setTimeout(() => {
          arrived();
          waiting.splice(0).forEach(take);
        });
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
    if (isAway && status !== "away") askForPage();
    isAway = status === "away";
    for (const [id, values] of Object.entries(props)) {
      if (id === "up-next") segue.player.refresh(segue.station.forYou);
      else put(id, values);
    }
  }

  function put(id, values) {
    const place = document.getElementById(id);
    if (place && "drawn" in place.dataset) segue.drawList(place, values);
    else if (segue.first.holds(place)) segue.first.put(place, values);
    // of each of Dash's components, all others hear: tables have thousands
    else if (place && "plain" in place.dataset) segue.components.redress(place, values);
    else if (place) window.dash_clientside.set_props(id, values);
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
    isPromised = false;
    clearTimeout(bannerTimer);
    document.getElementById("banner").hidden = true;
  }

  // --- a page has changed ---------------------------------------------------------------
  function arrived() {
    if (!isPressed) segue.first.settle();
    const page = document.querySelector("[data-title]");
    if (!page) return; // the next one is on its way
    if (isPromised && isThere()) hush();
    document.title = `${page.dataset.title} · Segue`;
    for (const link of document.querySelectorAll("a.nav")) {
      if (link.pathname !== (page.dataset.way || location.pathname)) link.removeAttribute("aria-current");
      else if (!link.hasAttribute("aria-current")) {
        link.setAttribute("aria-current", "page");
        link.scrollIntoView({ block: "nearest", inline: "nearest" });
      }
    }
    ask();
  }

  new MutationObserver(() => {
    arrived();
    tick();
  }).observe(document.getElementById("react-entry-point"), {
    childList: true,
    subtree: true,
    attributeFilter: ["data-title", "data-at", "data-since", "data-clock", "data-live-key"],
  });

  // --- "3 s ago", and moments in local time -----------------------------------------------
  function ago(seconds) {
    if (seconds < 1.5) return "just now";
    if (seconds < 100) return `${Math.round(seconds)} s ago`;
    if (seconds < 5400) return `${Math.round(seconds / 60)} min ago`;
    if (seconds < 129600) return `${Math.round(seconds / 3600)} h ago`;
    return `${Math.round(seconds / 86400)} days ago`;
  }

  function clock(moment) {
    const daysAgo = (new Date().setHours(0, 0, 0, 0) - new Date(moment).setHours(0, 0, 0, 0)) / 86400000;
    if (daysAgo < 0.5) return segue.time(moment);
    if (daysAgo < 1.5) return `${segue.time(moment)} yesterday`;
    return segue.day(moment);
  }

  function tick() {
    for (const time of document.querySelectorAll("[data-clock]")) {
      const text = clock(new Date(time.dataset.clock));
      if (time.textContent !== text) time.textContent = text;
    }
    for (const time of document.querySelectorAll("[data-since]")) {
      const text = ago((Date.now() - Date.parse(time.dataset.since)) / 1000);
      if (time.textContent !== text) time.textContent = text;
    }
  }
  setInterval(tick, 1000);
  window.addEventListener("segue:ready", () => {
    arrived();
    for (const [id, values] of Object.entries(segue.first.props)) put(id, values);
    tick();
    connect();
  });
})();
