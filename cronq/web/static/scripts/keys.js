// Keys for those who would rather not take the mouse; nothing can be done by them alone.
(() => {
  const HELP = `
    <dialog id="keys" aria-labelledby="keys-title">
      <h2 id="keys-title">Keys</h2>
      <dl>
        <dt><kbd>/</kbd></dt><dd>search</dd>
        <dt><kbd>j</kbd> <kbd>k</kbd></dt><dd>to the next row, to the one before</dd>
        <dt><kbd>Enter</kbd></dt><dd>open that row</dd>
        <dt><kbd>r</kbd></dt><dd>run the job of that row, or of this page; you are asked first</dd>
        <dt><kbd>g</kbd> <kbd>o</kbd></dt><dd>go to the overview; likewise <kbd>j</kbd> jobs, <kbd>u</kbd> upcoming,
          <kbd>f</kbd> failures, <kbd>r</kbd> runners</dd>
        <dt><kbd>?</kbd></dt><dd>this help</dd>
      </dl>
      <label><input type="checkbox"> Keys are on in this browser</label>
      <form method="dialog"><button>Close</button></form>
    </dialog>
    <dialog id="run-by-key" aria-labelledby="run-title">
      <h2 id="run-title">Run?</h2>
      <div></div>
      <form method="dialog"><button>Cancel</button></form>
    </dialog>`;
  document.body.insertAdjacentHTML("beforeend", HELP);
  document.querySelector("footer").insertAdjacentHTML(
    "beforeend", "<button type='button' id='show-keys' class='quiet'>Keys</button>");

  const help = document.getElementById("keys");
  const running = document.getElementById("run-by-key");
  const chosen = help.querySelector("input");
  const button = document.getElementById("show-keys");
  const OFF = "cronq-keys-off";
  const PLACES = {o: "/overview", j: "/", u: "/upcoming", f: "/failures", r: "/runners"};
  const GO_WITHIN = 1500; // milliseconds, from the g to the next key

  // A browser may keep nothing for anybody.
  const stored = (use) => { try { return use(localStorage); } catch { return null; } };
  let on = stored((storage) => storage.getItem(OFF)) === null;

  const ROW = "main :is(tbody tr:not(.group), ol > li, .concerns > li)";

  const rows = () => [...document.querySelectorAll(ROW)].filter(
    (row) => row.checkVisibility() && row.querySelector("a[href]"));

  const current = () => document.activeElement.closest(ROW);

  const move = (step) => {
    const all = rows(), here = all.indexOf(current());
    const next = all[here < 0 ? 0 : Math.min(Math.max(here + step, 0), all.length - 1)];
    const link = next?.querySelector(".name a[href]") ?? next?.querySelector("a[href]");
    link?.focus();
    link?.scrollIntoView({block: "nearest"});
  };

  const search = () => {
    const field = document.querySelector("main input[type=search]");
    if (!field) return location.assign("/#search");
    field.focus();
    field.select();
  };

  const jobOf = (row) => row?.querySelector("a[href^='/job/']")?.pathname
    ?? (location.pathname.match(/^\/job\/\d+$/)?.[0]);

  const runForm = (page) => page.querySelector("main form:has([name=run_now])");

  // The form of the page of the job, so that whoever may not run it is not asked, and nothing runs unasked.
  const run = async () => {
    const path = jobOf(current());
    if (!path) return;
    const answer = await fetch(path).catch(() => null);
    if (!answer?.ok) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const form = runForm(page), [title, place] = running.children;
    title.textContent = form ? `Run ${page.querySelector("h1").textContent.trim()}?` : "You may not run this job.";
    place.replaceChildren(...(form ? [form] : []));
    form?.setAttribute("action", path);
    running.showModal();
  };

  let goes = 0;
  const deeds = {
    "/": search,
    "?": () => help.showModal(),
    j: () => move(1),
    k: () => move(-1),
    r: run,
    g: () => { goes = Date.now(); },
  };

  const press = (event) => {
    const elsewhere = event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]");
    if (!on || elsewhere || event.target.closest("input, select, textarea, [contenteditable]")) return;
    const place = Date.now() - goes < GO_WITHIN ? PLACES[event.key] : null;
    goes = 0;
    const deed = place ? () => location.assign(place) : deeds[event.key];
    if (!deed) return;
    event.preventDefault();
    deed();
  };

  document.addEventListener("keydown", press);
  button.addEventListener("click", () => help.showModal());
  chosen.checked = on;
  chosen.addEventListener("change", () => {
    on = chosen.checked;
    stored((storage) => (on ? storage.removeItem(OFF) : storage.setItem(OFF, "1")));
  });
  if (location.hash === "#search") search();
})();
