// Keys, and the list of them. Single letters can be switched off (WCAG 2.1.4).
(() => {
  "use strict";
  const segue = (window.segue = window.segue || {});
  const STEP_S = 10;
  const STEP_VOLUME = 0.05;
  const { recall, keep } = segue.memory;
  const areOn = () => recall("keys", true);
  const help = document.getElementById("help");

  const { player } = segue;
  const by = (seconds) => player.seek(player.now().atS + seconds);
  const louder = (step) => player.setVolume(player.volume() + step);
  const keys = {
    " ": () => segue.does.toggle(),
    ArrowLeft: () => by(-STEP_S),
    ArrowRight: () => by(STEP_S),
    "shift ArrowLeft": () => player.previous(),
    "shift ArrowRight": () => player.next(),
    "shift ArrowUp": () => louder(STEP_VOLUME),
    "shift ArrowDown": () => louder(-STEP_VOLUME),
    m: () => player.mute(),
    l: () => segue.does.like(),
    d: () => segue.does.dislike(),
    b: () => segue.does.block(),
    q: () => segue.does.queue(),
    "?": () => segue.does.help(),
  };

  const TYPING = 'input, textarea, select, [contenteditable="true"], [role="listbox"], [role="menu"], dialog';
  document.addEventListener("keydown", (event) => {
    const { target, key, shiftKey } = event;
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || !areOn()) return;
    if (target.closest(TYPING)) return;
    if (key === " " && target.closest("button, a, summary")) return;
    const pressed = keys[shiftKey && key.length > 1 ? `shift ${key}` : key];
    if (!pressed) return;
    event.preventDefault();
    pressed();
  });

  const isOn = document.getElementById("keys-on");
  function open() {
    isOn.checked = areOn(); // it can be switched elsewhere, too
    help.showModal();
  }
  Object.assign(segue.does, {
    help: open,
    "help-close": () => help.close(),
    keys: () => keep("keys", !areOn()),
  });
  isOn.addEventListener("change", () => keep("keys", isOn.checked));
})();
