// Keeps the times fresh that are told from now, in the words of cronq/web/words/times.py.
"use strict";
(() => {
  const made = Date.parse(document.body.dataset.now);
  if (Number.isNaN(made)) return;

  // The server's clock counts, and not that of the person who looks on.
  const skew = made - Date.now();
  const units = [
    [31536000, "year"], [2592000, "month"], [86400, "day"], [3600, "hour"], [60, "minute"],
  ];

  const rough = (seconds) => {
    for (const [size, unit] of units) {
      const count = Math.floor(seconds / size);
      if (count >= 1) return `${count} ${unit}${count > 1 ? "s" : ""}`;
    }
    return `${seconds} s`;
  };

  const relative = (milliseconds) => {
    const seconds = Math.trunc(milliseconds / 1000);
    if (seconds === 0) return "now";
    return seconds > 0 ? `in ${rough(seconds)}` : `${rough(-seconds)} ago`;
  };

  const refresh = () => {
    const now = Date.now() + skew;
    for (const time of document.querySelectorAll("time.relative")) {
      const away = Date.parse(time.dateTime) - now;
      const due = away <= 0 && time.classList.contains("coming");
      const text = (due ? "due " : "") + relative(away);
      if (time.textContent !== text) time.textContent = text;
    }
  };

  setInterval(() => document.hidden || refresh(), 1000);
  document.addEventListener("visibilitychange", () => document.hidden || refresh());
  document.addEventListener("renewed", refresh);
})();
