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
  if (wanted.matches("button, a, summary")) wanted.click();
  // What opens is there to be filled in.
  if (wanted.matches("summary")) wanted.parentElement.querySelector("select, textarea, input:not([type=hidden])")?.focus();
  if (!wanted.matches("button, a, summary")) wanted.focus();
});
document.addEventListener("keydown", (event) => {
  const field = event.target.closest("[data-submit]");
  if (field && event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    field.form.requestSubmit();
  }
});
// Escape leaves a field, so that the keys work again.
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !event.isComposing && event.target.closest("input, select, textarea")) event.target.blur();
});
// A message that is pasted outside of any field is asked about at once, wherever one is.
const LONGEST_PASTED = 4000;
document.addEventListener("paste", (event) => {
  if (event.target.closest("input, textarea, [contenteditable]")) return;
  const asking = document.querySelector("a[data-paste]");
  const pasted = event.clipboardData.getData("text/plain").trim().slice(0, LONGEST_PASTED);
  if (asking && pasted) location.assign(`${asking.href}?q=${encodeURIComponent(pasted)}`);
});
