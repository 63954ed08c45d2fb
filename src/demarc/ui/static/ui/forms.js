// Forms that are sent once and not lost, things copied by a click, and the choice of colours.

const YEAR_S = 31536000;
let dirty = false;

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method === "dialog") return;
  if (form.dataset.sent) return event.preventDefault();
  dirty = false;
  if (form.method !== "post") return;
  form.dataset.sent = "1";
  for (const button of form.querySelectorAll("button[type=submit]")) button.setAttribute("aria-busy", "true");
});

// A page shown again by the Back button may be sent again.
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) {
    delete form.dataset.sent;
    for (const button of form.querySelectorAll("[aria-busy]")) button.removeAttribute("aria-busy");
  }
});

document.addEventListener("input", (event) => {
  if (event.target.closest("form[data-guard]")) dirty = true;
});
window.addEventListener("beforeunload", (event) => {
  if (dirty) event.preventDefault();
});

// The first field to fill, or the first with an error.
const guarded = document.querySelector("form[data-guard]");
if (guarded && !document.activeElement?.closest("form")) {
  const wrong = guarded.querySelector("[aria-invalid=true]");
  const first = guarded.querySelector("input:not([type=hidden]), select, textarea");
  (wrong || first)?.focus({ preventScroll: !wrong });
}

document.addEventListener("change", (event) => {
  if (event.target.matches("[data-autosubmit]")) event.target.form.requestSubmit();
});

document.addEventListener("click", async (event) => {
  const code = event.target.closest("[data-copy]");
  if (code) {
    const source = code.dataset.copy ? document.querySelector(code.dataset.copy) : code;
    await navigator.clipboard.writeText(source.textContent.trim());
    code.setAttribute("data-copied", "");
    setTimeout(() => code.removeAttribute("data-copied"), 1500);
  }
  const theme = event.target.closest("[data-theme]");
  if (theme) choose(theme.dataset.theme);
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});

function choose(theme) {
  document.cookie = `demarc_theme=${theme}; path=/; max-age=${theme ? YEAR_S : 0}; samesite=lax`;
  if (theme) document.documentElement.dataset.bsTheme = theme;
  else delete document.documentElement.dataset.bsTheme;
  press();
}

function press() {
  const now = document.documentElement.dataset.bsTheme || "";
  for (const button of document.querySelectorAll("[data-theme]")) {
    button.setAttribute("aria-pressed", String(button.dataset.theme === now));
  }
}

press();
