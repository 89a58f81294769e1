// Makes a part of a page what another one is, without touching what is the same: so focus, open details, and
// what somebody has scrolled or pressed stay as they are.
const morph = (() => {
  const key = (node) => {
    if (node.nodeType !== Node.ELEMENT_NODE) return null;
    if (node.id || node.dataset.key) return node.id || node.dataset.key;
    // Rows have no name but where they lead.
    return node.matches("tr, li") ? node.querySelector("a[href]")?.getAttribute("href") : null;
  };

  const alike = (one, other) => one.nodeName === other.nodeName && key(one) === key(other);

  // Whether they are open is for those to say who open them.
  const kept = (element, name) => name === "open" && element.matches("details, dialog");

  const morphAttributes = (old, fresh) => {
    for (const {name} of [...old.attributes]) {
      if (!fresh.hasAttribute(name) && !kept(old, name)) old.removeAttribute(name);
    }
    for (const {name, value} of fresh.attributes) {
      if (old.getAttribute(name) !== value && !kept(old, name)) old.setAttribute(name, value);
    }
  };

  const morphNode = (old, fresh) => {
    if (old.nodeType === Node.ELEMENT_NODE) {
      morphAttributes(old, fresh);
      morphChildren(old, fresh);
    } else if (old.data !== fresh.data) {
      old.data = fresh.data;
    }
  };

  const morphChildren = (old, fresh) => {
    const byKey = new Map([...old.children].map((child) => [key(child), child]));
    let place = old.firstChild;
    for (const child of [...fresh.childNodes]) {
      const found = key(child) ? byKey.get(key(child)) : place;
      if (!found || !alike(found, child)) {
        old.insertBefore(child, place);
        continue;
      }
      byKey.delete(key(child));
      if (found === place) place = place.nextSibling;
      else old.insertBefore(found, place);
      morphNode(found, child);
    }
    while (place) {
      const next = place.nextSibling;
      place.remove();
      place = next;
    }
  };

  return (old, fresh) => {
    const focused = document.activeElement;
    morphNode(old, fresh);
    // What is moved loses it.
    if (focused !== document.activeElement && focused.isConnected) focused.focus({preventScroll: true});
  };
})();
