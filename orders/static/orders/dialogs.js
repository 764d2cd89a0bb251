// The order page's dialogs. Without this file each button leads to a page that asks the same.
"use strict";

(() => {
  const opener = (event) => event.target.closest("a[data-dialog]");

  const open = (link) => {
    document.getElementById(link.dataset.dialog).showModal();
  };

  for (const link of document.querySelectorAll("a[data-dialog]")) {
    link.setAttribute("role", "button");
    link.setAttribute("aria-haspopup", "dialog");
  }

  document.addEventListener("click", (event) => {
    const link = opener(event);
    if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
      event.preventDefault();
      open(link);
      return;
    }
    const dialog = event.target.closest("dialog");
    if (dialog && (event.target === dialog || event.target.closest("[data-close-dialog]"))) {
      event.preventDefault();
      dialog.close(); // the browser gives the focus back to what opened it
    }
  });

  // A link answers to Enter; a button, which it says to be, to the space bar too.
  document.addEventListener("keydown", (event) => {
    const link = event.key === " " && opener(event);
    if (link) {
      event.preventDefault();
      open(link);
    }
  });

  // A second press while the first is on its way would only be told that it came too late.
  document.addEventListener("submit", (event) => {
    for (const button of event.target.querySelectorAll("button[type=submit]")) {
      button.disabled = true;
    }
  });
  window.addEventListener("pageshow", () => {
    for (const button of document.querySelectorAll("button[type=submit]:disabled")) {
      button.disabled = false;
    }
  });

  // The live stock that does not come at all says so, too.
  for (const failed of ["htmx:sendError", "htmx:responseError", "htmx:timeout"]) {
    document.addEventListener(failed, () => {
      const said = document.getElementById("stock-said");
      if (said) said.textContent = "The stock could not be asked for. Try again.";
    });
  }
})();
