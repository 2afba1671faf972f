"use strict";
// The agents' desk: reply by keys, placeholders that fill themselves in, and lists that stay where they are.

// --- the chosen reply: nothing is sent by a single key unless somebody chose a reply on this very page

let chosen = null;

function replies() {
  return [...document.querySelectorAll("details[data-reply]")];
}

function choose(reply, writing = true) {
  for (const other of replies()) other.open = other === reply;
  chosen = reply;
  reply.scrollIntoView({ block: "nearest" });
  const blank = [...reply.querySelectorAll("input[name=value]")].find((input) => !input.value.trim());
  if (blank && writing) blank.focus();
  else if (reply.dataset.reply === "w" && writing) reply.querySelector("[data-text]").focus();
  else reply.querySelector("summary").focus();
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || written(event.target)) return; // of keys.js
  const wanted = replies().find((reply) => reply.dataset.reply === event.key);
  if (wanted) {
    event.preventDefault();
    choose(wanted);
    return;
  }
  if (!chosen || !chosen.open) return;
  if (event.key === "e") {
    event.preventDefault();
    chosen.querySelector("[data-text]").focus();
    return;
  }
  const act = chosen.querySelector(`[data-act="${CSS.escape(event.key)}"]`);
  if (act) {
    event.preventDefault();
    act.click();
  }
});

document.addEventListener("click", (event) => {
  const reply = event.target.closest("details[data-reply]");
  if (reply) chosen = reply;
});

// While writing: Ctrl+Enter sends, with Shift it also resolves and goes on; Enter in a blank goes to the next one.
document.addEventListener("keydown", (event) => {
  const form = event.target.closest("form[data-answer]");
  if (!form || event.key !== "Enter" || event.isComposing) return;
  if (event.ctrlKey || event.metaKey) {
    event.preventDefault();
    const act = form.querySelector(event.shiftKey ? "[data-act=d]" : "[data-act=s]") || form.querySelector("[data-copies]");
    if (act) act.click();
  } else if (event.target.matches("input[name=value]")) {
    event.preventDefault();
    const empty = [...form.querySelectorAll("input[name=value]")].find((input) => !input.value.trim());
    (empty || form.querySelector("button")).focus();
  }
});

// --- placeholders: a text with slots, each as wide as what stands in it now

function slotsOf(form) {
  const text = form.querySelector("[data-text]").value;
  const slots = [];
  for (const input of form.querySelectorAll("input[data-written]")) {
    for (const written of JSON.parse(input.dataset.written)) {
      for (let at = text.indexOf(written); at >= 0; at = text.indexOf(written, at + written.length)) {
        slots.push({ input, written, start: at, end: at + written.length });
      }
    }
  }
  return slots.sort((one, other) => one.start - other.start);
}

function filled(form) {
  const field = form.querySelector("[data-text]");
  let text = "";
  let place = 0;
  for (const slot of form.slots) {
    text += field.value.slice(place, slot.start);
    place = slot.end;
    slot.start = text.length;
    text += slot.input.value.trim() || slot.written;
    slot.end = text.length;
  }
  field.value = text + field.value.slice(place);
  form.before = field.value;
}

// What was typed into the text moves the slots behind it; a slot that was typed into is the writer's own from then on.
function moved(form) {
  const field = form.querySelector("[data-text]");
  const before = form.before;
  const now = field.value;
  let start = 0;
  while (start < before.length && start < now.length && before[start] === now[start]) start += 1;
  let tail = 0;
  while (tail < before.length - start && tail < now.length - start && before.at(-1 - tail) === now.at(-1 - tail)) tail += 1;
  const end = before.length - tail;
  const shift = now.length - before.length;
  form.slots = form.slots.filter((slot) => slot.end <= start || slot.start >= end);
  for (const slot of form.slots) {
    if (slot.start >= end) {
      slot.start += shift;
      slot.end += shift;
    }
  }
  form.before = now;
  // Who changes a suggestion has read it.
  const read = form.querySelector("[data-read]");
  if (read) read.required = false;
  const unread = form.querySelector("[data-unread]");
  if (unread) unread.hidden = true;
}

function left(form) {
  return (form.slots || []).filter((slot) => !slot.input.value.trim());
}

for (const form of document.querySelectorAll("form[data-answer]")) {
  form.before = form.querySelector("[data-text]").value;
  form.slots = slotsOf(form);
  if (form.slots.length) filled(form);
  form.addEventListener("input", (event) => {
    if (event.target.matches("[data-text]")) moved(form);
    else if (event.target.matches("input[name=value]")) filled(form);
    const told = form.querySelector("[data-left]");
    if (told && !left(form).length) told.hidden = true;
  });
}

function refused(form) {
  const missing = left(form);
  const told = form.querySelector("[data-left]");
  if (!missing.length || !told) return false;
  const labels = missing.map((slot) => form.querySelector(`label[for="${slot.input.id}"]`).textContent);
  told.textContent = told.dataset.left.replace("%", [...new Set(labels)].join(document.documentElement.lang === "zh" ? "、" : ", "));
  told.hidden = false;
  missing[0].input.focus();
  return true;
}

// A suggestion that is unsure goes nowhere before somebody says that they read it, or changes it.
function unread(form) {
  const read = form.querySelector("[data-read]");
  if (!read || !read.required || read.checked) return false;
  form.querySelector("[data-unread]").hidden = false;
  read.focus();
  return true;
}

// --- copying: what is sent goes to the clipboard too, to be pasted where the customer reads it

function copied(form) {
  const field = form.querySelector("[data-text]");
  const told = form.querySelector("[data-told]");
  const done = () => {
    if (told) told.textContent = told.dataset.told;
  };
  const byHand = () => {
    const focused = document.activeElement;
    field.select();
    if (document.execCommand("copy")) done();
    if (focused) focused.focus();
  };
  if (navigator.clipboard) navigator.clipboard.writeText(field.value).then(done, byHand);
  else byHand();
}

document.addEventListener(
  "click",
  (event) => {
    const button = event.target.closest("[data-copy], [data-copies]");
    if (!button) return;
    if (refused(button.form) || (button.matches("[data-copies]") && unread(button.form))) {
      event.preventDefault();
      event.stopImmediatePropagation();
    } else if (button.form.querySelector("[data-text]").value.trim()) {
      copied(button.form);
    }
  },
  true,
);

// A reply is sent once, however often the key is pressed.
document.addEventListener("submit", (event) => {
  if (!event.target.matches("form[data-answer]") || event.defaultPrevented) return;
  if (event.target.dataset.sent) event.preventDefault();
  event.target.dataset.sent = "yes";
});
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
});

// --- what a request brings: a panel begins at its first field, a rejected reply makes way for the next one and comes back

document.addEventListener("htmx:afterSwap", (event) => {
  const panel = event.target.closest("details.act");
  const first = panel && panel.open && panel.querySelector("input:not([type=hidden])");
  if (first) first.focus();
  noted(event.target);
});

// What was said of a suggestion stands above all of them with the way back, which is the only one that u takes now.
function noted(place) {
  if (place.id !== "noted") return;
  const told = place.querySelector("[data-rejected], [data-restored]");
  const id = told && (told.dataset.rejected || told.dataset.restored);
  const reply = replies().find((item) => item.querySelector("[name=answer_id]")?.value === id);
  if (!reply) return;
  const rejected = "rejected" in told.dataset;
  reply.classList.toggle("rejected", rejected);
  reply.querySelector(".refused").hidden = !rejected;
  for (const other of document.querySelectorAll("main > .notice [data-key=u]")) delete other.dataset.key;
  const next = rejected ? replies()[replies().indexOf(reply) + 1] : reply;
  // Into no field, where u would be a letter.
  if (next) choose(next, false);
}

// --- the reasons of a priority on hover; a click, a tap or Enter opens them as well

for (const name of ["pointerenter", "pointerleave"]) {
  document.addEventListener(
    name,
    (event) => {
      if (event.pointerType !== "mouse" || !(event.target instanceof Element)) return;
      if (event.target.matches("details.why")) event.target.open = name === "pointerenter";
    },
    true,
  );
}
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") for (const why of document.querySelectorAll("details.why[open]")) why.open = false;
});

// --- a list that refreshes itself keeps its focus, its place and what is open in it

let kept = null;

function links() {
  return [...document.querySelectorAll("#rows a.title")];
}

document.addEventListener("htmx:beforeRequest", (event) => {
  if (document.hidden && event.detail.elt.matches("#rows, #news")) event.preventDefault();
});

document.addEventListener("htmx:beforeSwap", (event) => {
  if (!event.detail.requestConfig.elt.matches("#rows, #news")) return;
  if (!/\/(rows|news)$/.test(new URL(event.detail.xhr.responseURL).pathname)) {
    event.detail.shouldSwap = false; // the session ended: the page itself leads to signing in
    location.reload();
    return;
  }
  const focused = document.activeElement;
  const at = links().indexOf(focused);
  kept = {
    at,
    id: at >= 0 ? focused.id : null,
    top: at >= 0 ? focused.getBoundingClientRect().top : null,
    open: [...document.querySelectorAll("#rows details[open]")].map((item) => item.id),
  };
});

document.addEventListener("htmx:afterSettle", () => {
  if (!kept) return;
  for (const id of kept.open) {
    const why = document.getElementById(id);
    if (why) why.open = true;
  }
  if (kept.at >= 0) {
    const same = document.getElementById(kept.id);
    const rows = links();
    const now = same || rows[Math.min(kept.at, rows.length - 1)];
    if (now) {
      now.focus({ preventScroll: true });
      window.scrollBy(0, now.getBoundingClientRect().top - kept.top);
    }
  }
  kept = null;
});
