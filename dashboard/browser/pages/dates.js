// A day and a time of day in local time, as `dashboard/dates.py` writes them: "3 May
// 2026" and "21:40", whatever language the browser has.
(() => {
  "use strict";
  const segue = (window.segue = window.segue || {});

  segue.day = (at) => at.toLocaleDateString("en-GB", { day: "numeric", month: "long", year: "numeric" });
  segue.time = (at) => at.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
})();
