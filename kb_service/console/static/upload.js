"use strict";
// Tells how much of an upload was sent, and what went wrong, without losing the files that were chosen.
const form = document.querySelector("[data-upload]");
const refusal = document.getElementById("refusal");
const box = form.querySelector(".progress");
const bar = box.querySelector("progress");
const words = box.querySelector("output");
const button = form.querySelector("button.primary");

const refuse = (text) => {
  refusal.textContent = text;
  refusal.hidden = !text;
  if (text) refusal.scrollIntoView({ block: "nearest" });
};

// What the page says was wrong, or the service in its own words where no page came.
const reason = (request) => {
  const type = request.getResponseHeader("content-type") || "";
  if (type.includes("json")) {
    try { return JSON.parse(request.responseText).detail || form.dataset.lost; } catch { return form.dataset.lost; }
  }
  const page = new DOMParser().parseFromString(request.responseText, "text/html");
  const told = page.querySelector("#refusal, main p");
  return (told && told.textContent.trim()) || form.dataset.lost;
};

const check = () => {
  const files = [...form.querySelector("input[type=file]").files];
  const bytes = files.reduce((sum, file) => sum + file.size, 0);
  if (files.length > Number(form.dataset.mostFiles)) return form.dataset.tooMany;
  return bytes > Number(form.dataset.mostBytes) ? form.dataset.tooLarge : "";
};

const ended = (text) => {
  button.disabled = false;
  box.hidden = true;
  refuse(text);
};

form.addEventListener("change", () => refuse(check()));
form.addEventListener("submit", (event) => {
  event.preventDefault();
  const wrong = check();
  refuse(wrong);
  if (wrong) return;
  const request = new XMLHttpRequest();
  button.disabled = true;
  box.hidden = false;
  bar.value = 0;
  words.textContent = "0%";
  request.upload.addEventListener("progress", (sent) => {
    if (!sent.lengthComputable) return;
    const share = Math.round((100 * sent.loaded) / sent.total);
    bar.value = share;
    words.textContent = share < 100 ? `${share}%` : form.dataset.reading;
  });
  request.addEventListener("load", () => {
    if (request.status < 400 && request.responseURL !== location.href) location.assign(request.responseURL);
    else ended(reason(request));
  });
  request.addEventListener("error", () => ended(form.dataset.lost));
  request.open("POST", form.action);
  request.send(new FormData(form));
});
