// Keeps an order's page up to date. Without this script the page has a link that loads it again.
"use strict";

(() => {
  const EVERY = 15; // seconds
  const HIDDEN = 60; // seconds, while nobody can see the page
  const LONGEST = 300; // seconds between two tries that fail
  const PATIENCE = 10; // seconds that an answer may take
  const BRIEF = { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" };
  const FULL = { ...BRIEF, month: "long", year: "numeric", timeZoneName: "short" };

  const said = document.getElementById("said");
  const note = document.getElementById("refresh");
  let part = document.getElementById("order");
  let source = part.outerHTML; // as the server sent it
  let failures = 0;
  let timer = null;
  let asking = false;
  let gone = false;

  const words = (root) => ["headline", "explanation"].map((id) => root.querySelector(`#${id}`).textContent).join(". ");

  // The server tells the time in its own zone; whoever reads the page has another.
  function localise(root) {
    for (const time of root.querySelectorAll("time")) {
      const form = time.classList.contains("brief") ? BRIEF : FULL;
      time.textContent = new Date(time.dateTime).toLocaleString("en-GB", form);
    }
  }

  function tell(text) {
    note.textContent = text;
    note.hidden = !text;
  }

  function replace(page) {
    const next = page.getElementById("order");
    if (!next) throw new Error("not an order's page");
    if (next.outerHTML === source) return;
    source = next.outerHTML;
    const isNews = words(next) !== words(part);
    localise(next);
    part.replaceWith(next);
    part = next;
    document.title = page.title;
    if (isNews) said.textContent = words(part);
  }

  function plan() {
    clearTimeout(timer);
    if (gone) return;
    if ("final" in part.dataset) {
      tell("");
      return;
    }
    if (failures) tell("We can’t be reached just now; this page goes on trying.");
    else tell("This page keeps itself up to date.");
    const pause = (document.hidden ? HIDDEN : EVERY) * 2 ** failures;
    timer = setTimeout(look, Math.min(pause, LONGEST) * 1000);
  }

  async function look() {
    if (asking) return;
    asking = true;
    clearTimeout(timer);
    try {
      const answer = await fetch(location.pathname, {
        cache: "no-cache",
        headers: { "X-Refresh": "1" }, // no sign of life: a session must end all the same
        signal: AbortSignal.timeout(PATIENCE * 1000),
      });
      gone = answer.status === 404;
      if (!gone && !answer.ok) throw new Error(String(answer.status));
      if (gone) tell("This page can’t be kept up to date any more. Load it again to see why.");
      else replace(new DOMParser().parseFromString(await answer.text(), "text/html"));
      failures = 0;
    } catch {
      failures += 1;
    } finally {
      asking = false;
    }
    plan();
  }

  document.getElementById("again").addEventListener("click", (event) => {
    if (gone) return; // loads the page, as it does without this script
    event.preventDefault();
    look();
  });
  document.addEventListener("visibilitychange", () => {
    if (document.hidden || "final" in part.dataset || gone) plan();
    else look();
  });

  localise(part);
  plan();
})();
