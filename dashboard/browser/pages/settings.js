// The settings: theme, shortcuts, tokens, and the import of music by an admin.
(() => {
  "use strict";
  const segue = (window.segue = window.segue || {});
  const POLL_MS = 1000;
  const element = (id) => document.getElementById(id);

  function line(...parts) {
    const item = document.createElement("li");
    item.append(...parts);
    return item;
  }

  function button(text, label, act) {
    const made = document.createElement("button");
    made.type = "button";
    made.textContent = text;
    made.setAttribute("aria-label", label);
    made.addEventListener("click", act);
    return made;
  }

  // --- theme and shortcuts ------------------------------------------------------------
  function showChoices() {
    for (const each of document.querySelectorAll("[data-theme-choice]"))
      each.setAttribute("aria-pressed", String(each.dataset.themeChoice === segue.theme.chosen()));
    const keys = document.querySelector('#settings [data-do="keys"]');
    if (keys) keys.setAttribute("aria-checked", String(segue.memory.recall("keys", true)));
  }

  document.addEventListener("click", ({ target }) => {
    const choice = target.closest("[data-theme-choice]");
    if (choice) segue.theme.choose(choice.dataset.themeChoice);
    // the player's own listener has been told before, or is told now
    if (choice || target.closest('[data-do="keys"]')) setTimeout(showChoices);
  });
  document.addEventListener("change", ({ target }) => target.id === "keys-on" && showChoices());

  // --- tokens ---------------------------------------------------------------------------
  async function showTokens() {
    const { tokens } = await segue.ask("/api/tokens");
    element("tokens").replaceChildren(
      ...tokens.map(({ id, created_at: since }) =>
        line(
          `${id}…, made on ${segue.day(new Date(since))}`,
          button("Revoke", `Revoke the token ${id}`, () =>
            attempt(async () => {
              await segue.ask("/api/tokens/revoke", { id });
              element("token-said").textContent = "That token opens nothing any more.";
              await showTokens();
            }),
          ),
        ),
      ),
    );
  }

  async function makeToken() {
    const { token } = await segue.ask("/api/tokens", {});
    const shown = document.createElement("code");
    shown.textContent = token;
    element("token-said").replaceChildren("Copy it now, it is shown once: ", shown);
    await showTokens();
  }

  const attempt = (act) => segue.attempt(act, (text) => (element("token-said").textContent = text));

  // --- the import ------------------------------------------------------------------------
  const words = {
    running: (told) => `Importing ${told.folder}: ${counts(told)}`,
    stopping: (told) => `Stopping after this file: ${counts(told)}`,
    done: (told) => `Imported ${told.folder}: ${counts(told)}, ${told.n_new} new`,
    stopped: (told) => `Stopped: ${counts(told)}, ${told.n_new} new`,
    failed: (told) => `${told.folder} could not be imported`,
  };

  function counts({ n_found: found, n_read: read, n_errors: errors }) {
    if (!found) return "looking for files";
    const bad = errors ? `, ${errors} cannot be read` : "";
    return `${read.toLocaleString("en")} of ${found.toLocaleString("en")} files${bad}`;
  }

  function isOn({ state }) {
    return state === "running" || state === "stopping";
  }

  function showImport(told) {
    element("music-import").hidden = told.state === "none";
    if (told.state === "none") return;
    const said = words[told.state](told);
    if (element("music-said").textContent !== said) element("music-said").textContent = said;
    element("music-bar").hidden = !isOn(told);
    element("music-bar").max = told.n_found || 1;
    element("music-bar").value = told.n_read;
    element("music-where").textContent = told.now_in;
    element("music-errors").replaceChildren(...told.errors.map((each) => line(each)));
    element("music-stop").hidden = !isOn(told);
    element("music-stop").disabled = told.state === "stopping";
  }

  let timer = null;
  async function showMusic() {
    const { folders, import: told } = await segue.ask("/api/music");
    if (!element("music-folders")) return null;
    element("music-folders").replaceChildren(
      ...folders.map(({ path, n_tracks: n, is_added: isAdded }) =>
        line(
          path,
          segue.element("span", {}, nTracks(n)),
          ...(isAdded ? [button("Remove", `Remove the folder ${path}`, () => removeFolder(path))] : []),
        ),
      ),
    );
    return told;
  }

  // the folders, for which all tracks are counted, are asked for before and after alone
  async function followMusic(isBegun = false) {
    clearTimeout(timer);
    if (!element("music-folders")) return;
    let goesOn = true;
    try {
      let told = await (isBegun ? segue.ask("/api/music/import") : showMusic());
      if (isBegun && !isOn(told)) told = await showMusic();
      if (!told || !element("music-folders")) return;
      showImport(told);
      goesOn = isOn(told);
    } catch (error) {
      sayOfMusic(error.message);
    }
    if (goesOn) timer = setTimeout(followMusic, POLL_MS, true);
  }

  function sayOfMusic(text) {
    const place = element("music-said");
    if (!place) return;
    element("music-import").hidden = false;
    place.textContent = text;
  }

  const nTracks = (n) => `${n.toLocaleString("en")} ${n === 1 ? "track" : "tracks"}`;

  async function removeFolder(folder) {
    const told = await segue.attempt(() => segue.ask("/api/music/remove", { folder }));
    if (!told) return;
    segue.toast(`Removed ${folder}: ${nTracks(told.n_missing)}`, { label: "Undo", act: () => importFolder(folder) });
    await followMusic();
    if (document.activeElement !== document.body || !element("music-folders")) return;
    (element("music-folders").querySelector("button") || element("music-form").elements.folder).focus();
  }

  async function importFolder(folder) {
    try {
      await segue.ask("/api/music/import", { folder });
      await followMusic();
    } catch (error) {
      for (const id of ["music-bar", "music-stop"]) element(id).hidden = true;
      sayOfMusic(error.message);
    }
  }

  document.addEventListener("submit", (event) => {
    if (event.target.id !== "music-form") return;
    event.preventDefault();
    importFolder(new FormData(event.target).get("folder").trim());
  });

  // --- the page has come -----------------------------------------------------------------
  function arrived() {
    const page = element("settings");
    if (!page || page.dataset.isAlive) return;
    page.dataset.isAlive = "1";
    showChoices();
    attempt(showTokens);
    element("token-make").addEventListener("click", () => attempt(makeToken));
    if (!element("music-stop")) return;
    element("music-stop").addEventListener("click", async () => {
      try {
        showImport(await segue.ask("/api/music/stop", {}));
      } catch (error) {
        sayOfMusic(error.message);
      }
    });
    followMusic();
  }

  new MutationObserver(arrived).observe(document.getElementById("react-entry-point"), {
    childList: true,
    subtree: true,
  });
})();
