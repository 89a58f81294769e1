// Shows the buttons that copy a text of the page, which need a script. Over plain HTTP, browsers have no clipboard for
// pages: there the text is selected, for the person to copy it.
"use strict";
(() => {
  const select = (element) => {
    if (element.select) return element.select();
    const range = document.createRange();
    range.selectNodeContents(element);
    const selection = getSelection();
    selection.removeAllRanges();
    selection.addRange(range);
  };

  for (const button of document.querySelectorAll("button[data-copy]")) {
    const source = document.getElementById(button.dataset.copy);
    if (!source) continue;
    button.hidden = false;
    button.addEventListener("click", async () => {
      select(source);
      const copied = await navigator.clipboard?.writeText(source.value ?? source.textContent).then(() => true, () => false);
      button.textContent = copied ? "Copied" : "Selected: now copy it";
    });
  }
})();
