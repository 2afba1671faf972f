"use strict";
// One letter presses the button, or enters the field, that carries it; j and k walk through rows.

// A field that is written in takes every letter; a box that is ticked takes none.
const written = (target) => target.closest("select, textarea, input:not([type=checkbox]):not([type=radio])");

// What j and k go to, row by row: what a row says is its own, else its title, else the row as a whole.
function walked() {
  const rows = [...document.querySelectorAll("[data-rows]")].flatMap((list) =>
    [...(list.matches("table") ? list.querySelectorAll("tbody > tr") : list.children)]);
  return rows.filter((row) => row.getClientRects().length);
}

function walk(row) {
  const place = row.querySelector("[data-row]") || row.querySelector("a.title") || row;
  if (place === row) row.tabIndex = -1;
  place.focus();
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || written(event.target)) return;
  const rows = walked();
  if (rows.length && (event.key === "j" || event.key === "k")) {
    const at = rows.findIndex((row) => row.contains(document.activeElement));
    walk(rows[at < 0 ? 0 : Math.min(rows.length - 1, Math.max(0, at + (event.key === "j" ? 1 : -1)))]);
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
// Ctrl+Enter, on a Mac Cmd+Enter, in a text of several lines sends its form: by the button nearest around the text that
// stands out, or is the only one; never by one that takes something away. A reply is sent by the desk's own script, which
// first looks whether something is left to fill in.
const SENDS = "button:not([type=button]):not([disabled]):not(.quiet):not(.danger):not(.sr)";
document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || event.isComposing || event.defaultPrevented) return;
  const form = event.target.matches("textarea") && event.target.form;
  if (!form || form.matches("[data-answer]")) return;
  for (let around = event.target.parentElement; around && form.contains(around); around = around.parentElement) {
    const buttons = [...around.querySelectorAll(SENDS)];
    const sends = buttons.find((item) => item.matches(".primary")) || (buttons.length === 1 && buttons[0]);
    if (!sends) continue;
    event.preventDefault();
    sends.click();
    return;
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

// --- what a part of a page met

// What somebody asked a part of a page for and did not get is told above the page, which stays as it is, with all that
// is typed in it. A part that looks again by itself keeps what it shows, and looks again.
const told = document.getElementById("fault");

document.addEventListener("htmx:beforeRequest", (event) => {
  if (event.detail.requestConfig.triggeringEvent) told.replaceChildren();
});
document.addEventListener("htmx:beforeSwap", (event) => {
  const { xhr, requestConfig } = event.detail;
  if (xhr.status < 400 || !xhr.getResponseHeader("HX-Retarget")) return;
  if (requestConfig.triggeringEvent) event.detail.shouldSwap = true;
});
document.addEventListener("htmx:sendError", (event) => {
  if (!event.detail.requestConfig.triggeringEvent) return;
  const lost = document.createElement("p");
  lost.className = "notice warn";
  lost.setAttribute("role", "alert");
  lost.textContent = told.dataset.lost;
  told.replaceChildren(lost);
  told.scrollIntoView({ block: "nearest" });
});
