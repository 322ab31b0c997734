// What the admin's own pages need: tabs that follow the arrow keys, and pickers that insert at the caret,
// buttons that tick all boxes of a list, and buttons that copy a text, and fields that show for some choices only.
document.addEventListener("DOMContentLoaded", () => {
  document.querySelectorAll("[data-tabs]").forEach(setUpTabs);
  document.querySelectorAll("[data-insert-into]").forEach(setUpPicker);
  document.querySelectorAll("[data-lines-into]").forEach(setUpLines);
  document.querySelectorAll("[data-copy-from]").forEach(setUpCopy);
  document.querySelectorAll("[data-check-headers]").forEach(setUpHeaderCheck);
  document.querySelectorAll("[data-tick-all]").forEach(setUpTickAll);
  document.querySelectorAll("[data-shown-for]").forEach(setUpShownFor);
  document.querySelectorAll(".change-form form[method=post]").forEach(warnOfUnsaved);
});

// The server shows times in the zone of whoever looks, from the next page on.
document.cookie = `zone=${Intl.DateTimeFormat().resolvedOptions().timeZone}; path=/admin/; max-age=31536000; samesite=lax`;

// In a list without boxes to tick, the theme takes the label of the first column from the boxes. Labels begin with a
// capital, as the columns' names do.
document.addEventListener("DOMContentLoaded", () => {
  const table = document.getElementById("result_list");
  table?.querySelectorAll("[data-label]").forEach((cell) => {
    cell.dataset.label = cell.dataset.label.charAt(0).toUpperCase() + cell.dataset.label.slice(1);
  });
  if (!table || table.querySelector("input.action-select")) return;
  const head = table.querySelector("thead th")?.cloneNode(true);
  head?.querySelectorAll(".material-symbols-outlined").forEach((icon) => icon.remove());
  const label = head?.textContent.trim();
  table.querySelectorAll("tbody tr > :first-child[data-label]").forEach((cell) => (cell.dataset.label = label));
});

// The theme gives all its scrolling boxes the same name.
window.addEventListener("load", () => {
  const names = { "nav-sidebar-apps": "Navigation", "changelist-filter": "Filters" };
  document.querySelectorAll(".simplebar-content-wrapper").forEach((wrapper, index) => {
    const owner = wrapper.closest(Object.keys(names).map((id) => "#" + id).join());
    wrapper.setAttribute("aria-label", owner ? names[owner.id] : `Scrollable content ${index + 1}`);
  });
});

// The theme writes the name of a chosen file into a field beside it, which only its own file fields have.
document.addEventListener("DOMContentLoaded", () => {
  document.querySelectorAll("input[type=file].c-input").forEach((input) => (input.hasChangeListener = true));
});

function setUpTabs(box) {
  const tabs = [...box.querySelectorAll("[role=tab]")];
  const memory = "tab:" + location.pathname;

  const select = (chosen, focus) => {
    tabs.forEach((tab) => {
      tab.setAttribute("aria-selected", String(tab === chosen));
      tab.tabIndex = tab === chosen ? 0 : -1;
      document.getElementById(tab.getAttribute("aria-controls")).hidden = tab !== chosen;
    });
    sessionStorage.setItem(memory, chosen.id);
    if (focus) chosen.focus();
  };

  const target = (key, index) =>
    ({
      ArrowRight: tabs[(index + 1) % tabs.length],
      ArrowLeft: tabs[(index - 1 + tabs.length) % tabs.length],
      Home: tabs[0],
      End: tabs[tabs.length - 1],
    })[key];

  tabs.forEach((tab, index) => {
    tab.addEventListener("click", () => select(tab, false));
    tab.addEventListener("keydown", (event) => {
      const next = target(event.key, index);
      if (!next) return;
      event.preventDefault();
      select(next, true);
    });
  });

  const wrong = tabs.find((tab) => tab.querySelector("[data-errors]"));
  const former = tabs.find((tab) => tab.id === sessionStorage.getItem(memory));
  select(wrong || former || tabs[0], false);
}

// A button that ticks every box of its form, or none when all are ticked.
function setUpTickAll(button) {
  const boxes = [...button.form.elements].filter((one) => one.name === button.dataset.tickAll);
  button.hidden = false;
  button.addEventListener("click", () => {
    const all = !boxes.every((box) => box.checked);
    boxes.forEach((box) => (box.checked = all));
  });
}

// A field shows while one of its alternatives holds: every field named in it has one of the values. What is wrong
// with a field is always shown.
function setUpShownFor(field) {
  const alternatives = JSON.parse(field.dataset.shownFor);
  const row = field.closest(".form-row");
  const wrong = row.querySelector(".errorlist");
  const show = () => {
    const holds = (all) => Object.entries(all).every(([name, values]) => values.includes(field.form.elements[name].value));
    row.hidden = !wrong && !alternatives.some(holds);
  };
  field.form.addEventListener("change", show);
  show();
}

function setUpPicker(bar) {
  const field = document.getElementById(bar.dataset.insertInto);
  const select = bar.querySelector("select");
  bar.hidden = false;
  bar.querySelector("button").addEventListener("click", () => {
    if (!select.value) {
      select.focus();
      return;
    }
    field.setRangeText(select.value, field.selectionStart, field.selectionEnd, "end");
    field.dispatchEvent(new Event("input", { bubbles: true }));
    field.focus();
    select.value = "";
  });
}

// A whole line goes below all others; the caret stands at its end, so that one can correct the value.
function setUpLines(bar) {
  const field = document.getElementById(bar.dataset.linesInto);
  bar.hidden = false;
  bar.addEventListener("click", ({ target }) => {
    if (!target.dataset.line) return;
    const written = field.value.replace(/\s+$/, "");
    field.value = written + (written ? "\n" : "") + target.dataset.line;
    field.dispatchEvent(new Event("input", { bubbles: true }));
    field.focus();
    field.setSelectionRange(field.value.length, field.value.length);
  });
}

// What is wrong with the header script is said half a second after the last key.
function setUpHeaderCheck(place) {
  const field = document.getElementById(place.dataset.checkHeaders);
  const reply = document.getElementById("id_reply_address");
  const token = document.querySelector("[name=csrfmiddlewaretoken]").value;
  let timer, asked = 0;
  const look = async () => {
    const number = ++asked;
    const answer = await fetch(place.dataset.url, {
      method: "POST",
      headers: { "X-CSRFToken": token, "Content-Type": "application/json" },
      body: JSON.stringify({ script: field.value, reply_address: reply ? reply.value : "" }),
    }).catch(() => null);
    if (number !== asked || !answer || !answer.ok) return;
    const { findings } = await answer.json();
    const items = findings.map((finding) => {
      const item = document.createElement("li");
      item.textContent = finding.sentence;
      item.className = finding.blocks === false ? "c-warning" : "c-error";
      return item;
    });
    const list = document.createElement("ul");
    list.append(...items);
    place.replaceChildren(...(items.length ? [list] : []));
    field.setAttribute("aria-invalid", String(findings.some((finding) => finding.blocks !== false)));
  };
  field.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(look, 500);
  });
  if (field.value) look();
}

function setUpCopy(button) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    const field = document.getElementById(button.dataset.copyFrom);
    field.select();
    // The clipboard is there on secure pages only; elsewhere the text stays selected for the keyboard.
    const copied = navigator.clipboard
      ? await navigator.clipboard.writeText(field.value).then(() => true, () => false)
      : false;
    button.textContent = copied ? "Copied" : "Selected: press Ctrl+C";
  });
}

// Leaving a form that was changed and not saved loses what was typed: the browser asks first.
function warnOfUnsaved(form) {
  let changed = false;
  form.addEventListener("input", () => (changed = true));
  form.addEventListener("submit", () => (changed = false));
  window.addEventListener("beforeunload", (event) => {
    if (changed) event.preventDefault();
  });
}
