// Rows of a list dragged by their grip: the row follows the finger, a line shows where it
// would go.
(() => {
  "use strict";
  const segue = (window.segue = window.segue || {});
  const EDGE_PX = 110;
  const PLAYER_PX = 84;
  const STEP_PX = 12;
  let drag = null;
  let dropped = () => {}; // told the row, and its new place or null

  function begin(event, row) {
    event.preventDefault();
    const { clientY: fromY, pointerId } = event;
    const list = row.parentElement;
    drag = { list, row, fromY, y: fromY, scrolled: scrollY, over: null, isBelow: false };
    list.setPointerCapture(pointerId);
    row.classList.add("dragged");
    drag.timer = setInterval(scrollAtEdge, 16);
  }

  function dragTo({ clientY }) {
    const { list, row, fromY, scrolled } = drag;
    drag.y = clientY;
    row.style.transform = `translateY(${clientY - fromY + scrollY - scrolled}px)`;
    const box = list.getBoundingClientRect();
    const y = Math.max(box.top + 1, Math.min(clientY, box.bottom - 2));
    const over = document.elementsFromPoint(box.left + box.width / 2, y).map((e) => e.closest(".track")).find(Boolean);
    unmark();
    if (!over || over === row || over.parentElement !== list) return;
    const at = over.getBoundingClientRect();
    drag.over = over;
    drag.isBelow = y > at.top + at.height / 2;
    over.classList.add(drag.isBelow ? "drop-below" : "drop-above");
  }

  function unmark() {
    if (drag.over) drag.over.classList.remove("drop-above", "drop-below");
    drag.over = null;
  }

  function scrollAtEdge() {
    if (drag.y > EDGE_PX && drag.y < innerHeight - EDGE_PX - PLAYER_PX) return;
    scrollBy(0, drag.y <= EDGE_PX ? -STEP_PX : STEP_PX);
    dragTo({ clientY: drag.y });
  }

  function end(isDropped) {
    if (!drag) return;
    const { list, row, over, isBelow } = drag;
    clearInterval(drag.timer);
    unmark();
    row.classList.remove("dragged");
    row.style.transform = "";
    drag = null;
    const rows = [...list.children];
    const at = rows.indexOf(over) + (isBelow ? 1 : 0);
    dropped(row, isDropped && over ? at - (at > rows.indexOf(row) ? 1 : 0) : null);
  }

  document.addEventListener("pointerdown", (event) => {
    const grip = event.button === 0 && event.target.closest(".playlist-tracks .grip");
    if (grip) begin(event, grip.closest(".track"));
  });
  document.addEventListener("pointermove", (event) => drag && dragTo(event));
  document.addEventListener("pointerup", () => end(true));
  document.addEventListener("pointercancel", () => end(false));
  document.addEventListener("keydown", ({ key }) => key === "Escape" && end(false));

  segue.dragRows = (whenDropped) => {
    dropped = whenDropped;
    return { isOn: () => drag !== null };
  };
})();
