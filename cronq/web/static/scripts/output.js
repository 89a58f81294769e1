// Shows what a run writes as it comes, follows it or not, and searches in it. Without this, the page has the
// output when the run is over, and as plain text it comes live.
(() => {
  const section = document.getElementById("written");
  if (!section) return;

  // Spans, and characters in them; of what is older, the page says that it is not here any more.
  const MOST_SPANS = 6000, MOST_CHARACTERS = 2000000;
  const LONGEST = 30000; // milliseconds between two attempts to be connected
  const pane = section.querySelector(".output");
  const follow = section.querySelector("[name=follow]") ?? document.createElement("input");
  const remark = section.querySelector(".remark");
  let source = null, position = 0, failures = 0, retry = 0, held = 0;
  let over = false, again = false, dropped = false;

  const span = (text, classes) => {
    const made = document.createElement("span");
    made.textContent = text;
    if (classes) made.className = classes;
    return made;
  };

  const atEnd = () => pane.scrollHeight - pane.scrollTop - pane.clientHeight < 24;
  const toEnd = () => { pane.scrollTop = pane.scrollHeight; };

  const drop = () => {
    if (pane.childElementCount <= MOST_SPANS && held <= MOST_CHARACTERS) return;
    while (pane.childElementCount > MOST_SPANS * .8 || held > MOST_CHARACTERS * .8) {
      held -= pane.firstElementChild.textContent.length;
      pane.firstElementChild.remove();
    }
    if (!dropped) remarks("What came first is no longer on this page, which would grow too large.");
    dropped = true;
  };

  const remarks = (text) => { if (remark.textContent !== text) remark.textContent = text; };

  const append = (spans, gap) => {
    const made = document.createDocumentFragment();
    for (const [text, classes] of spans) made.append(span(text, classes));
    if (gap) made.append(span(gap, "left-out"));
    held += made.textContent.length;
    pane.append(made);
    drop();
    if (follow.checked) toEnd();
    searching.again();
  };

  const close = () => {
    clearTimeout(retry);
    source?.close();
    source = null;
  };

  const failed = () => {
    if (source.readyState === EventSource.CONNECTING) return;  // it tries again by itself
    close();
    failures += 1;
    if (failures > 1) remarks("The server does not answer; trying again.");
    retry = setTimeout(open, Math.min(LONGEST, 1000 * 2 ** failures));
  };

  const hear = (name, then) => source.addEventListener(name, (event) => {
    if (failures) remarks("");
    failures = 0;
    if (event.lastEventId) position = Number(event.lastEventId);
    then(JSON.parse(event.data));
  });

  const ended = ({spans, whole}) => {
    append(spans);
    close();
    if (!whole && !again) {
      // Some of its last words were lost on the way; what is kept of it has them.
      again = true;
      position = held = 0;
      pane.replaceChildren();
      open();
      return;
    }
    over = true;
    if (!dropped) remarks(pane.childElementCount ? "" : "It has written nothing.");
    section.classList.add("over");
    renewing.want();
  };

  const open = () => {
    if (source || over || document.hidden) return;
    source = new EventSource(`${section.dataset.stream}?from=${position}`);
    source.onerror = failed;
    hear("state", () => {});
    hear("output", ({spans}) => append(spans));
    hear("gap", ({spans, text}) => append(spans, text));
    hear("remark", ({text}) => remarks(text));
    hear("end", ended);
  };

  const searching = searchIn(pane, section, () => { follow.checked = false; });
  for (const each of section.querySelectorAll(".scripted")) each.hidden = false;
  for (const each of section.querySelectorAll(".unscripted")) each.hidden = true;
  pane.addEventListener("scroll", () => { follow.checked = atEnd(); });
  follow.addEventListener("change", () => follow.checked && toEnd());
  // Where it ended is what one wants to see of a run that came to no good end.
  if ("atEnd" in section.dataset) toEnd();
  if (!section.dataset.stream || !window.EventSource) return;

  // While nobody sees the page, nothing is to be sent.
  document.addEventListener("visibilitychange", () => (document.hidden ? close() : open()));
  addEventListener("pagehide", close);
  addEventListener("pageshow", open);
  open();
})();
