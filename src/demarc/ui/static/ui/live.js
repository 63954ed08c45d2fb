// Ages that keep counting, and live parts that go grey when the server no longer answers.

const STALE_MS = 15000;
const STEPS = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];
const ahead = Number(document.body.dataset.now) - Date.now();

function age(then) {
  const seconds = Math.round((Date.now() + ahead - then) / 1000);
  if (Math.abs(seconds) < 1) return "just now";
  const [size, unit] = STEPS.find(([step]) => Math.abs(seconds) >= step);
  const rough = `${Math.floor(Math.abs(seconds) / size)}\u00a0${unit}`;
  return seconds > 0 ? `${rough} ago` : `in ${rough}`;
}

function tick() {
  for (const time of document.querySelectorAll("time[data-age]")) {
    const words = age(Date.parse(time.dateTime));
    if (time.textContent !== words) time.textContent = words;
  }
  for (const part of document.querySelectorAll("[data-live]")) {
    const heard = Number(part.dataset.heard || (part.dataset.heard = Date.now()));
    part.classList.toggle("stale", Date.now() - heard > STALE_MS);
  }
}

document.addEventListener("htmx:after:request", (event) => {
  const context = event.detail?.ctx;
  const part = context?.sourceElement?.closest?.("[data-live]");
  const status = context?.response?.status;
  if (part && status && status < 400) part.dataset.heard = Date.now();
});

setInterval(tick, 1000);
tick();
