// Fetches this page again and renews the parts of it that are marked with data-live and have an id.
const renewing = (() => {
  const SPREAD = 500; // milliseconds, so that many who look on do not ask at once
  const SHORTEST = 2000; // between two times
  const SHARE = 20; // of its time a server that is slow has for others
  const LONGEST = 60000;
  const IN_USE = 5000; // until it is tried again to renew what somebody has in their hands

  const regions = (page) => new Map(
    [...page.querySelectorAll("[data-live][id]")].map((each) => [each.id, each]));

  const changed = (field) => {
    if (field.matches("[type=checkbox], [type=radio]")) return field.checked !== field.defaultChecked;
    if (!field.matches("select")) return field.type !== "hidden" && field.value !== field.defaultValue;
    const chosen = [...field.options].findLastIndex((each) => each.defaultSelected);
    return field.selectedIndex !== Math.max(chosen, 0);
  };

  // Whether somebody types there, has begun to fill something in, or has marked a text.
  const inUse = (region) => {
    const fields = [...region.querySelectorAll("input, select, textarea")];
    if (fields.some((each) => each === document.activeElement || changed(each))) return true;
    const selection = getSelection();
    return !selection.isCollapsed && selection.containsNode(region, true);
  };

  const shown = new Map();

  // Gives whether all of it is renewed now.
  const renew = (fresh) => {
    const here = regions(document), there = regions(fresh);
    if ([...here.keys()].join() !== [...there.keys()].join()) {
      if ([...here.values()].some(inUse)) return false;
      location.reload();
      return true;
    }
    let all = true;
    for (const [id, region] of here) {
      const html = there.get(id).outerHTML;
      if (shown.get(id) === html) continue;
      if (inUse(region)) {
        all = false;
        continue;
      }
      morph(region, there.get(id));
      shown.set(id, html);
    }
    return all;
  };

  const renewHead = (fresh) => {
    document.title = fresh.title;
    document.body.dataset.now = fresh.body.dataset.now;
    const icon = document.querySelector("link[rel=icon]"), other = fresh.querySelector("link[rel=icon]");
    if (other && icon.getAttribute("href") !== other.getAttribute("href")) icon.replaceWith(other);
    const summary = fresh.getElementById("summary")?.textContent;
    if (summary !== undefined) say(summary);
  };

  // What a screen reader reads out, once.
  const say = (text) => {
    const summary = document.getElementById("summary");
    if (summary.textContent !== text) summary.textContent = text;
  };

  // Why it could not be done; null when it was.
  const fetchPage = async () => {
    const options = {cache: "no-store", signal: AbortSignal.timeout(LONGEST)};
    const answer = await fetch(location.href, options).catch(() => null);
    if (!answer) return "the server does not answer; trying again";
    if (answer.redirected) return "you are not logged in any more";
    const text = await answer.text().catch(() => null);
    if (!answer.ok || text === null) return `the server answers ${answer.status}; trying again`;
    const fresh = new DOMParser().parseFromString(text, "text/html");
    renewHead(fresh);
    if (!renew(fresh)) setTimeout(want, IN_USE);
    document.dispatchEvent(new CustomEvent("renewed"));
    return null;
  };

  let wanted = false, timer = 0, busy = false, earliest = performance.now() + SHORTEST;
  let told = () => {};

  const go = async () => {
    timer = 0;
    if (document.hidden) return;
    wanted = false;
    busy = true;
    const begun = performance.now();
    told(await fetchPage(), begun);
    const now = performance.now();
    earliest = now + Math.min(LONGEST, Math.max(SHORTEST, SHARE * (now - begun)));
    busy = false;
    if (wanted) want();
  };

  // Once, however often it is called until then, and not while nobody sees it.
  const want = () => {
    wanted = true;
    if (busy || timer || document.hidden) return;
    timer = setTimeout(go, Math.max(0, earliest - performance.now()) + Math.random() * SPREAD);
  };

  document.addEventListener("visibilitychange", () => wanted && want());

  return {
    want,
    say,
    any: () => document.querySelector("main [data-live][id]") !== null,
    // After each attempt, with why it failed, or null, and when it began.
    whenTried: (tell) => { told = tell; },
  };
})();
