// The keyboard: / searches everything, f the list; j and k walk a list, x selects, Enter opens, ? shows the sheet.

const sheet = document.getElementById("keys-sheet");
let row = -1;

function typing(target) {
  return target.matches("input, textarea, select, [contenteditable]") || target.closest("dialog[open]");
}

function rows() {
  return [...document.querySelectorAll("table[data-list] tbody tr")];
}

function walk(step) {
  const all = rows();
  if (!all.length) return;
  all[row]?.removeAttribute("data-current");
  row = Math.min(Math.max(row + step, 0), all.length - 1);
  all[row].setAttribute("data-current", "");
  all[row].querySelector("td a")?.focus();
  all[row].scrollIntoView({ block: "nearest" });
}

function search(...fields) {
  const shown = fields.map((one) => document.querySelector(one)).find((one) => one?.offsetParent);
  shown?.focus();
}

const actions = {
  "/": () => search("[data-find]", "main [data-search]"),
  f: () => search("main [data-search]", "[data-find]"),
  x: () => rows()[row]?.querySelector("input[name=row]")?.click(),
  "?": () => sheet?.showModal(),
  j: () => walk(1),
  k: () => walk(-1),
};

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") {
    for (const menu of document.querySelectorAll("details.menu[open]")) menu.open = false;
    if (event.target.matches("[data-search]")) event.target.blur();
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
  const act = actions[event.key];
  if (act) {
    event.preventDefault();
    act();
  }
});
