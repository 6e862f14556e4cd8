// Elements, and what stands in them.
(() => {
  "use strict";
  const segue = (window.segue = window.segue || {});

  // text goes in as text; what an attribute lacks is left out
  segue.element = (name, attributes = {}, ...children) => {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes))
      if (value !== null && value !== undefined) made.setAttribute(key, value);
    made.append(...children);
    return made;
  };

  segue.clock = (seconds) => {
    const whole = Math.floor(Number.isFinite(seconds) ? seconds : 0);
    return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
  };
})();
