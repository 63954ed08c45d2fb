// The search of everything walked by arrows, and rows selected in lists.

const find = document.querySelector("[data-find]");
const found = document.querySelector("[data-found]");

function step(by) {
  const hits = [...found.querySelectorAll("[data-hit]")];
  if (!hits.length) return;
  const at = hits.indexOf(document.activeElement) + by;
  if (at < 0) find.focus();
  else hits[Math.min(at, hits.length - 1)].focus();
}

find?.form.addEventListener("keydown", (event) => {
  if (event.key === "ArrowDown") step(1);
  else if (event.key === "ArrowUp") step(-1);
  else if (event.key === "Escape") close();
  else return;
  event.preventDefault();
});

function close() {
  found.replaceChildren();
  find.value = "";
  find.blur();
}

find?.addEventListener("input", () => {
  if (!find.value.trim()) found.replaceChildren();
});
document.addEventListener("click", (event) => {
  if (found?.children.length && !event.target.closest(".side-search")) found.replaceChildren();
});

// An answer that comes after the field was emptied is to no question.
document.addEventListener("htmx:after:swap", () => {
  if (find && !find.value.trim()) found.replaceChildren();
});

function tell(form) {
  const rows = [...form.querySelectorAll("input[name=row]")];
  const chosen = rows.filter((one) => one.checked).length;
  const all = form.querySelector("[data-select-all]");
  if (all) {
    all.checked = chosen === rows.length;
    all.indeterminate = chosen > 0 && chosen < rows.length;
  }
  const told = form.querySelector("[data-selected]");
  if (told) told.textContent = chosen ? `${chosen} selected` : "";
}

document.addEventListener("change", (event) => {
  const form = event.target.closest("form[data-bulk]");
  if (!form) return;
  if (event.target.matches("[data-select-all]")) {
    for (const one of form.querySelectorAll("input[name=row]")) one.checked = event.target.checked;
  }
  tell(form);
});
for (const form of document.querySelectorAll("form[data-bulk]")) tell(form);
