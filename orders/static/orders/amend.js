// Lines of the correction sheet can be added without end, and go at once when they are removed.
// Without this file a sheet has a few empty rows, and a box that removes a line when it is saved.
"use strict";

(() => {
  const table = document.querySelector("[data-lines]");
  const rows = table.tBodies[0];
  const form = table.closest("form");
  const template = form.querySelector("[data-empty-line]");
  const counted = (name) => form.elements[`${table.dataset.prefix}-${name}`];
  const box = (row) => row.querySelector("input[type=checkbox]");
  const inputs = (row) => [...row.querySelectorAll("input[type=text], input:not([type])")];
  const isEmpty = (row) => inputs(row).every((input) => input.value.trim() === "");

  const add = document.createElement("button");
  add.type = "button";
  add.className = "orders-button";
  add.textContent = "Add a line";

  const shown = () => [...rows.rows].filter((row) => !row.hidden);

  // The spare rows are for those without a script; here they wait until somebody wants a line.
  const spare = () => [...rows.rows].find((row) => row.hidden && isEmpty(row) && !box(row).checked);

  const tidy = () => {
    const full = Number(counted("TOTAL_FORMS").value) >= Number(counted("MAX_NUM_FORMS").value);
    add.disabled = full && !spare();
  };

  const equip = (row) => {
    const remove = document.createElement("button");
    remove.type = "button";
    remove.className = "orders-button";
    remove.textContent = "Remove";
    remove.setAttribute("aria-label", box(row).labels[0].textContent.trim());
    remove.addEventListener("click", () => {
      const next = shown()[shown().indexOf(row) + 1];
      box(row).checked = true;
      row.hidden = true;
      (next ? inputs(next)[0] : add).focus();
    });
    box(row).hidden = true;
    box(row).after(remove);
    row.hidden = box(row).checked;
  };

  const append = () => {
    const index = Number(counted("TOTAL_FORMS").value);
    const filled = document.createElement("template");
    filled.innerHTML = template.innerHTML
      .replaceAll("__prefix__", index)
      .replaceAll("__number__", index + 1);
    const row = filled.content.querySelector("tr");
    rows.append(row);
    counted("TOTAL_FORMS").value = index + 1;
    equip(row);
    return row;
  };

  add.addEventListener("click", () => {
    const row = spare() || append();
    row.hidden = false;
    inputs(row)[0].focus();
    tidy();
  });

  for (const row of [...rows.rows]) equip(row);
  for (const row of shown().filter(isEmpty)) row.hidden = true;
  table.after(add);
  tidy();
})();
