"use strict";
// A list of inputs grows by a row on demand, and by itself where it would run out of blank ones.
for (const button of document.querySelectorAll("[data-add]")) {
  const list = button.previousElementSibling;
  button.hidden = button.matches(":disabled");
  button.addEventListener("click", () => {
    const row = list.lastElementChild.cloneNode(true);
    const inputs = row.matches("input") ? [row] : [...row.querySelectorAll("input")];
    for (const input of inputs) input.value = "";
    list.append(row);
    inputs[0].focus();
  });
}
// A group opens when a link or an address leads into it.
const open = () => {
  const at = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  const group = at && at.closest("details");
  if (group && !group.open) {
    group.open = true;
    at.scrollIntoView();
  }
};
addEventListener("hashchange", open);
open();
