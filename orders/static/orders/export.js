// Downloads an export with its progress. Without this script the form sends the file just the same.
"use strict";

(() => {
  const form = document.getElementById("export");
  const submit = form.querySelector("[type=submit]");
  const cancel = document.getElementById("export-cancel");
  const progress = document.getElementById("export-progress");
  const bar = progress.querySelector("progress");
  const count = document.getElementById("export-count");
  const state = document.getElementById("export-state");
  const rows = Number(form.dataset.rows); // 0: nobody knows how many are coming
  const noun = form.dataset.noun;
  const QUOTE = 0x22;
  const NEWLINE = 0x0a;
  const STEP = 100; // milliseconds from one change of the bar to the next
  let running = null;

  const shown = (number) => number.toLocaleString("en-US");

  function show(done) {
    if (rows) bar.value = Math.min(done, rows);
    count.textContent = rows ? `${shown(done)} of ${shown(rows)} ${noun}` : `${shown(done)} ${noun} so far`;
  }

  // Counts the rows in pieces of CSV; a line break within quotes ends none. The head is no row.
  function counter() {
    let quoted = false;
    let done = -1;
    return (bytes) => {
      for (const byte of bytes) {
        if (byte === QUOTE) quoted = !quoted;
        else if (byte === NEWLINE && !quoted) done += 1;
      }
      return Math.max(done, 0);
    };
  }

  function save(parts, response) {
    const named = /filename="([^"]+)"/.exec(response.headers.get("Content-Disposition") || "");
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob(parts, { type: "text/csv" }));
    link.download = named ? named[1] : "export.csv";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60000); // the browser may still be copying
  }

  async function download(signal) {
    const response = await fetch(form.action, { method: "POST", body: new FormData(form), signal });
    if (response.status === 503) return "Other exports are running. Try again in a moment.";
    const type = response.headers.get("Content-Type") || "";
    if (!response.ok || !type.startsWith("text/csv")) {
      return "The server did not send the file. Reload the page, and sign in again if it asks you to.";
    }
    const reader = response.body.getReader();
    const counted = counter();
    const parts = [];
    let done = 0;
    const ticking = setInterval(() => show(done), STEP);
    try {
      for (;;) {
        const piece = await reader.read();
        if (piece.done) break;
        parts.push(piece.value);
        done = counted(piece.value);
      }
    } finally {
      clearInterval(ticking);
    }
    show(done);
    if (!rows) bar.value = bar.max;
    save(parts, response);
    return `Done: ${shown(done)} ${noun} downloaded.`;
  }

  function busy(on) {
    submit.disabled = on;
    cancel.hidden = !on;
    if (on) progress.hidden = false;
  }

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (running) return;
    running = new AbortController();
    bar.removeAttribute("value"); // moves until the first rows are here
    if (rows) bar.max = rows;
    count.textContent = "";
    state.textContent = "Downloading…";
    busy(true);
    try {
      state.textContent = await download(running.signal);
    } catch {
      const why = running.signal.aborted ? "Cancelled" : "The download broke off";
      state.textContent = `${why}; nothing was saved.`;
      bar.value = 0;
    } finally {
      running = null;
      busy(false);
      submit.focus();
    }
  });

  cancel.addEventListener("click", () => running && running.abort());
})();
