// Hears from the server that something has changed, renews the page then, and says when it hears nothing.
(() => {
  const REGULARLY = 30000; // milliseconds; of what is late or silent by now, nobody tells
  const SILENCE = 45000; // the server says something every 15 s
  const LONGEST = 30000; // between two attempts to be connected
  const SLACK = 2000; // a change is seen a little after it was made
  if (Number.isNaN(Date.parse(document.body.dataset.now))) return;

  if (!renewing.any()) {
    // A page that has no such parts is read again as a whole, but not under the hands of someone who types,
    // and not given up for the error page of a browser that finds no server.
    setInterval(async () => {
      if (document.hidden || document.activeElement.matches("input, select, textarea")) return;
      const answer = await fetch(location.href, {method: "HEAD"}).catch(() => null);
      if (answer?.ok) location.reload();
    }, REGULARLY);
    return;
  }

  const NO_ANSWER = "the server does not answer; trying again";
  const mark = document.getElementById("live");
  let source = null, heardAt = 0, failures = 0, retry = 0, readAt = 0;
  // Whether events come, what is wrong by them, and what by the last attempt to read the page.
  let connected = false, trouble = null, failure = null, wasLive = null;

  const show = () => {
    const reason = trouble ?? failure ?? (connected ? null : "it is only read again every 30 s");
    const live = reason === null;
    const text = live ? "Live" : `Not live: ${reason}`;
    mark.hidden = false;
    mark.classList.toggle("off", !live);
    mark.lastElementChild.textContent = text;
    // Who opens a page wants to hear of what is on it.
    if (live !== (wasLive ?? live)) renewing.say(text);
    wasLive = live;
  };

  const close = () => {
    clearTimeout(retry);
    source?.close();
    source = null;
  };

  const failed = () => {
    close();
    failures += 1;
    // An answer ends now and then: that is nothing to tell, unless the next one does not begin.
    if (failures > 1) {
      if (connected) failure = NO_ANSWER;
      connected = false;
      renewing.want();
      show();
    }
    retry = setTimeout(open, Math.min(LONGEST, 1000 * 2 ** failures) * Math.random());
  };

  const heard = (problem = null) => {
    heardAt = Date.now();
    failures = 0;
    connected = true;
    trouble = problem;
    show();
  };

  const hear = (name, then) => source.addEventListener(name, (event) => { heard(); then(event); });

  const open = () => {
    if (source || document.hidden) return;
    heardAt = Date.now();
    source = new EventSource("/events");
    source.onerror = failed;
    hear("live", (event) => {
      const unread = performance.now() - readAt + SLACK;
      if (Number(event.data) * 1000 <= unread) renewing.want();
    });
    hear("changed", renewing.want);
    hear("heard", () => document.querySelector("[data-live=heartbeats]") && renewing.want());
    hear("quiet", () => {});
    source.addEventListener("trouble", () => heard("the database does not answer; trying again"));
  };

  renewing.whenTried((problem, begun) => {
    failure = problem;
    if (problem === null) readAt = begun;
    show();
  });
  setInterval(renewing.want, REGULARLY);
  if (!window.EventSource) return;

  // A connection that nobody has ended may be dead all the same.
  setInterval(() => source && Date.now() - heardAt > SILENCE && failed(), 5000);
  // A browser has six connections to a server, and tabs that nobody sees shall not take them.
  document.addEventListener("visibilitychange", () => (document.hidden ? close() : open()));
  addEventListener("pagehide", close);
  addEventListener("pageshow", open);
  open();
})();
