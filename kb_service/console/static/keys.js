"use strict";
// One letter presses the button, or enters the field, that carries it; j and k walk through rows.
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, select, textarea")) return;
  const rows = [...document.querySelectorAll("[data-rows] a.title")];
  if (rows.length && (event.key === "j" || event.key === "k")) {
    const at = rows.indexOf(document.activeElement);
    const next = at < 0 ? 0 : Math.min(rows.length - 1, Math.max(0, at + (event.key === "j" ? 1 : -1)));
    rows[next].focus();
    event.preventDefault();
    return;
  }
  const wanted = [...document.querySelectorAll("[data-key]")].find((item) => item.dataset.key === event.key);
  if (!wanted) return;
  event.preventDefault();
  if (wanted.matches("button, a")) wanted.click();
  else wanted.focus();
});
document.addEventListener("keydown", (event) => {
  const field = event.target.closest("[data-submit]");
  if (field && event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    field.form.requestSubmit();
  }
});
