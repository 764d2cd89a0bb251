// What the admin's theme leaves to the mouse and the eye, for the keyboard and the ear.

{
  const NATIVE = "a[href], button, input, select, textarea, summary, label, [tabindex]";
  // Controls that are an icon alone, by the icon's own word.
  const NAMES = {
    dock_to_right: "Menu",
    close: "Close",
  };

  // What answers to clicks alone becomes a button: in the order of Tab, pressed by Enter and Space.
  const makeButton = (control) => {
    if (control.matches(NATIVE) || control.id === "changelist-filter-close") return;
    control.setAttribute("role", "button");
    control.setAttribute("tabindex", "0");
    const name = control.title || NAMES[control.textContent.trim()];
    if (name) control.setAttribute("aria-label", name);
    control.addEventListener("keydown", (event) => {
      if (event.target !== control || !["Enter", " "].includes(event.key)) return;
      event.preventDefault();
      control.click();
    });
  };

  // An icon is a ligature: a word, which a screen reader would read out beside the real one.
  const hideIcon = (icon) => {
    const named = icon.closest("[aria-label], [title]");
    const text = (icon.closest("a, button, [role=button]") ?? icon.parentElement).textContent;
    if (!icon.hasAttribute("aria-label") && (named || text.trim() !== icon.textContent.trim())) {
      icon.setAttribute("aria-hidden", "true");
    }
  };

  // Select2 puts a box of its own before a select, and does not take the label along.
  const nameSelect = (box) => {
    const label = box.previousElementSibling?.labels?.[0];
    const value = box.querySelector(".select2-selection__rendered");
    if (!label || !value) return;
    label.id ||= `${label.htmlFor}_label`;
    value.setAttribute("aria-labelledby", label.id);
    const selection = box.querySelector(".select2-selection");
    selection.setAttribute("aria-labelledby", `${label.id} ${value.id}`);
  };

  const each = (root, selector, change) => {
    if (root.matches(selector)) change(root);
    root.querySelectorAll(selector).forEach(change);
  };

  const mend = (root) => {
    each(root, "[x-on\\:click]", makeButton);
    each(root, ".material-symbols-outlined", hideIcon);
    each(root, ".select2-container", nameSelect);
    each(root, ".select2-search__field", (field) => field.setAttribute("aria-label", "Search"));
  };

  // The theme hides the page until its scripts have run. A browser that draws before that gives the
  // focus to nobody, as what is hidden can't have it; so who signs in would have to reach for a mouse.
  document.addEventListener("alpine:initialized", () => {
    requestAnimationFrame(() => {
      if (document.activeElement === document.body) document.querySelector("[autofocus]")?.focus();
    });
  });

  document.addEventListener("DOMContentLoaded", () => {
    mend(document.body);
    // Parts come later too: from htmx, from the theme's own templates, from Select2.
    new MutationObserver((changes) => {
      for (const change of changes) {
        for (const node of change.addedNodes) if (node instanceof Element) mend(node);
      }
    }).observe(document.body, { childList: true, subtree: true });
  });
}
