"use strict";
// A button beside what is shown once copies it. Without this script it stays hidden, and the text can be marked by hand.
for (const button of document.querySelectorAll("button[data-copy]")) {
  const source = document.getElementById(button.dataset.copy);
  button.hidden = false;
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(source.textContent.trim());
    } catch {
      // A browser gives the clipboard to https and loopback only; elsewhere the text is marked, to be copied by key.
      getSelection().selectAllChildren(source);
      if (!document.execCommand("copy")) return;
    }
    button.textContent = button.dataset.copied;
  });
}
