// Finds a text in what an element shows, marks it, and goes from one place to the next.
const searchIn = (pane, tools, onGo) => {
  const MOST = 1000; // places
  const field = tools.querySelector("[type=search]");
  const hits = tools.querySelector(".hits");
  let places = [], here = -1, timer = 0;

  const mark = (name, ranges) => {
    if (!window.Highlight) return;
    if (ranges.length) CSS.highlights.set(name, new Highlight(...ranges));
    else CSS.highlights.delete(name);
  };

  // The pieces of text and where in the whole each of them begins.
  const pieces = () => {
    const walker = document.createTreeWalker(pane, NodeFilter.SHOW_TEXT), found = [];
    let start = 0;
    while (walker.nextNode()) {
      found.push({node: walker.currentNode, start});
      start += walker.currentNode.length;
    }
    return found;
  };

  const range = (all, start, stop) => {
    const at = (offset) => {
      let low = 0, high = all.length - 1;
      while (low < high) {
        const middle = (low + high + 1) >> 1;
        if (all[middle].start <= offset) low = middle;
        else high = middle - 1;
      }
      return [all[low].node, offset - all[low].start];
    };
    const made = new Range();
    made.setStart(...at(start));
    const [node, offset] = at(stop - 1);
    made.setEnd(node, offset + 1);
    return made;
  };

  const show = () => {
    mark("found", places);
    mark("found-here", places.slice(here, here + 1));
    const most = places.length === MOST ? "+" : "";
    hits.textContent = field.value ? `${places.length ? here + 1 : 0} of ${places.length}${most}` : "";
  };

  const find = () => {
    const wanted = field.value.toLowerCase();
    places = [];
    if (wanted) {
      const all = pieces(), text = pane.textContent.toLowerCase();
      for (let at = text.indexOf(wanted); at >= 0 && places.length < MOST; at = text.indexOf(wanted, at + wanted.length)) {
        places.push(range(all, at, at + wanted.length));
      }
    }
    here = Math.min(here, places.length - 1);
  };

  const go = (step) => {
    if (!places.length) return;
    here = (here + step + places.length) % places.length;
    onGo();
    const box = places[here].getBoundingClientRect(), frame = pane.getBoundingClientRect();
    pane.scrollTop += box.top - frame.top - frame.height / 2;
    if (!window.Highlight) getSelection().setBaseAndExtent(places[here].startContainer, places[here].startOffset, places[here].endContainer, places[here].endOffset);
    show();
  };

  field.addEventListener("input", () => {
    here = -1;
    find();
    show();
    go(1);
  });
  field.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    go(event.shiftKey ? -1 : 1);
  });
  tools.querySelector(".next").addEventListener("click", () => go(1));
  tools.querySelector(".previous").addEventListener("click", () => go(-1));

  return {
    // There is more to search in.
    again: () => {
      if (!field.value || timer) return;
      timer = setTimeout(() => { timer = 0; find(); show(); }, 300);
    },
  };
};
