// What a button does whose `data-do` names it: each file puts in its own.
(() => {
  "use strict";
  const segue = (window.segue = window.segue || {});
  segue.does = {};

  document.addEventListener("click", (event) => {
    const pressed = event.target.closest("[data-do]");
    const act = pressed && segue.does[pressed.dataset.do];
    if (act) act(pressed);
  });
})();
