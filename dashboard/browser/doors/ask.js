// Asks our own server: JSON there and back, and its own words where it refuses.
(() => {
  "use strict";
  const segue = (window.segue = window.segue || {});

  // `segue.ask(path)` reads, `segue.ask(path, body)` changes something; a file goes as it is
  segue.ask = async (path, body) => {
    const isFile = body instanceof Blob;
    const how = body === undefined ? {} : {
      method: "POST",
      headers: { "Content-Type": isFile ? "application/octet-stream" : "application/json" },
      body: isFile ? body : JSON.stringify(body),
    };
    let answer;
    try {
      answer = await fetch(path, how);
    } catch {
      throw new Error("The server does not answer. Try again in a moment.");
    }
    const told = await answer.json().catch(() => ({}));
    if (answer.ok) return told;
    const words = told.error ? told.error.detail : `the server answers ${answer.status}`;
    throw new Error(`${words[0].toUpperCase()}${words.slice(1)}.`);
  };
})();
