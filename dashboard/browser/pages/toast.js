// One line above the player that says what was done, with a way to take it back.
(() => {
  "use strict";
  const segue = (window.segue = window.segue || {});
  const SHOWN_MS = 8000;
  const place = document.getElementById("toast");
  let timer = null;

  function hide() {
    // who is about to press the button is not left without it
    if (place.matches(":hover, :focus-within")) timer = setTimeout(hide, SHOWN_MS);
    else place.replaceChildren();
  }

  // `segue.toast("Blocked “X”", { label: "Undo", act() { … } })`
  segue.toast = (text, action) => {
    clearTimeout(timer);
    const words = document.createElement("span");
    words.textContent = text;
    place.replaceChildren(words);
    if (action) {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = action.label;
      button.addEventListener("click", () => {
        place.replaceChildren();
        action.act();
      });
      place.append(button);
    }
    timer = setTimeout(hide, SHOWN_MS);
  };

  // does something; where the server refuses it, its words are said
  segue.attempt = async (work, say = segue.toast) => {
    try {
      return await work();
    } catch (error) {
      say(error.message);
      return null;
    }
  };
})();
