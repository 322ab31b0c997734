// The builder of saved queries: a tree of groups and conditions over a field that holds them as JSON.
// Every control is a native one, so that it works by keyboard; after adding or removing, the focus goes on.
document.addEventListener("DOMContentLoaded", () => {
  document.querySelectorAll("[data-query]").forEach(setUpQuery);
});

function setUpQuery(box) {
  const field = document.getElementById(box.dataset.query);
  const catalogue = JSON.parse(document.getElementById(box.dataset.catalogue).textContent);
  const known = new Map(catalogue.map((one) => [one.path, one]));
  const place = box.querySelector("[data-query-tree]");
  const status = box.querySelector("[data-query-count]");
  const token = document.querySelector("[name=csrfmiddlewaretoken]").value;
  const first = catalogue[0].path;
  let number = 0;

  // What a question's value is before anybody gave one: the choice of nothing in particular where there is one.
  const unset = (kind, operator) =>
    operator.takes === "choice" && kind.choices.some(([value]) => value === "") ? "" : null;
  const fresh = (path) => {
    const kind = known.get(path);
    return { field: path, is: kind.operators[0].name, value: unset(kind, kind.operators[0]) };
  };
  const read = () => {
    try {
      const query = JSON.parse(field.value);
      if (query && Array.isArray(query.items)) return query;
    } catch {
      // What cannot be read is begun anew.
    }
    return { match: "all", items: [fresh(first)] };
  };
  const tree = read();

  const element = (tag, attributes, ...children) => {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    made.append(...children);
    return made;
  };
  const options = (select, choices, chosen) => {
    for (const [value, label] of choices) select.append(new Option(label, value, false, value === chosen));
    return select;
  };
  const select = (label, choices, chosen, changed) => {
    const made = options(element("select", { class: "c-select", "aria-label": label }), choices, chosen);
    made.addEventListener("change", () => changed(made.value));
    return made;
  };
  const button = (label, icon, name, pressed) => {
    const made = element("button", { type: "button", class: "c-button c-small", "aria-label": name });
    const sign = element("span", { class: "material-symbols-outlined", "aria-hidden": "true" }, icon);
    made.append(sign, ...(label ? [` ${label}`] : []));
    made.addEventListener("click", pressed);
    return made;
  };

  // Writes the field, draws the tree when its form changed, and counts.
  const changed = (focus) => {
    field.value = JSON.stringify(tree);
    field.dispatchEvent(new Event("input", { bubbles: true }));
    if (focus) {
      draw();
      place.querySelector(`[data-node="${focus}"]`)?.querySelector("select, button")?.focus();
    }
    countSoon();
  };

  const input = (type, label, value, set, more = {}) => {
    const made = element(type === "lines" ? "textarea" : "input", { class: "c-input", "aria-label": label, ...more });
    if (type === "lines") made.rows = 3;
    else made.type = type;
    made.value = value ?? "";
    made.addEventListener("input", (event) => {
      event.stopPropagation();
      set(made.value);
      changed();
    });
    return made;
  };

  const values = (item, kind, operator, label) => {
    const set = (value) => (item.value = value);
    const end = (at) => (value) => {
      const ends = Array.isArray(item.value) ? item.value : ["", ""];
      item.value = ends.map((old, index) => (index === at ? value : old));
    };
    const ends = Array.isArray(item.value) ? item.value : ["", ""];
    const plain = Array.isArray(item.value) || item.value === null ? "" : item.value;
    switch (operator.takes) {
      case "text":
        return [input("text", `${label}: text`, plain, set)];
      case "lines":
        return [input("lines", `${label}: one a line`, plain, set)];
      case "number":
        return [input("text", `${label}: number`, plain, set, { inputmode: "decimal", size: 10 })];
      case "days":
        return [input("number", `${label}: days`, plain, set, { min: 1, step: 1 })];
      case "date":
        return [input("date", `${label}: date`, plain, set)];
      case "numbers":
      case "dates": {
        const type = operator.takes === "dates" ? "date" : "text";
        return [0, 1].map((at) => input(type, `${label}: ${at ? "to" : "from"}`, ends[at], end(at)));
      }
      case "choice":
      case "delivery": {
        const choices = [["", "Choose…"], ...kind.choices.filter(([value]) => value !== "")];
        const empty = kind.choices.find(([value]) => value === "");
        if (empty) choices[0] = empty;
        return [select(`${label}: value`, choices, String(plain), (value) => (set(value), changed()))];
      }
    }
    return [];
  };

  const fields = (label, chosen, pick) => {
    const made = element("select", { class: "c-select", "aria-label": label });
    for (const group of new Set(catalogue.map((one) => one.group))) {
      const own = catalogue.filter((one) => one.group === group).map((one) => [one.path, one.label]);
      made.append(options(element("optgroup", { label: group }), own, chosen));
    }
    if (!known.has(chosen)) made.prepend(new Option(`${chosen} (gone)`, chosen, false, true));
    made.addEventListener("change", () => pick(made.value));
    return made;
  };

  const condition = (item, parent) => {
    const key = ++number;
    const kind = known.get(item.field) || { label: item.field, operators: [], choices: [] };
    const operator = kind.operators.find((one) => one.name === item.is) || { takes: "nothing" };
    const row = element("div", { class: "c-query-row", "data-node": key, role: "group", "aria-label": kind.label });
    item.key = undefined;
    row.append(
      fields("Field", item.field, (path) => {
        Object.assign(item, fresh(path));
        changed(key);
      }),
      select("Question", kind.operators.map((one) => [one.name, one.label]), item.is, (name) => {
        const before = operator.takes;
        item.is = name;
        const after = kind.operators.find((one) => one.name === name);
        if (after.takes !== before) item.value = unset(kind, after);
        draw();
        place.querySelector(`[data-node="${key}"]`)?.querySelectorAll("select")[1].focus();
        changed();
      }),
      ...values(item, kind, operator, kind.label),
      button("", "close", `Remove the condition on ${kind.label}`, () => remove(parent, item)),
    );
    return row;
  };

  const remove = (parent, item) => {
    parent.items.splice(parent.items.indexOf(item), 1);
    changed(1);
  };

  const group = (item, parent) => {
    const key = ++number;
    const made = element("fieldset", { class: "c-query-group", "data-node": key });
    const matches = [["all", "All of these hold"], ["any", "At least one of these holds"], ["none", "None of these holds"]];
    made.append(
      element("legend", { class: "c-hidden" }, parent ? "Group of conditions" : "Conditions"),
      element("div", { class: "c-query-row" },
        select("How many must hold", matches, item.match, (match) => ((item.match = match), changed())),
        ...(parent ? [button("", "close", "Remove the group", () => remove(parent, item))] : [])),
      ...item.items.map((each) => (each.items ? group(each, item) : condition(each, item))),
      element("div", { class: "c-query-row" },
        button("Condition", "add", "Add a condition", () => add(item, fresh(first))),
        button("Group", "add", "Add a group", () => add(item, { match: "any", items: [fresh(first)] }))),
    );
    return made;
  };

  const add = (parent, item) => {
    parent.items.push(item);
    changed(1);
    const nodes = [...place.querySelectorAll("[data-node]")];
    const drawn = nodes.find((node) => node.item === item);
    drawn?.querySelector("select")?.focus();
  };

  // Keys are given in the order of drawing, so that the same place has the same key after it is drawn again.
  const draw = () => {
    number = 0;
    place.replaceChildren(group(tree, null));
    mark(tree, place.firstElementChild);
  };
  const mark = (item, node) => {
    node.item = item;
    const own = [...node.children].filter((child) => child.dataset.node);
    (item.items || []).forEach((each, index) => mark(each, own[index]));
  };

  // Conditions that still wait for their value are no mistake: nobody has typed anything wrong.
  const waits = (item) => {
    if (item.items) return item.items.some(waits);
    const kind = known.get(item.field);
    const takes = kind?.operators.find((one) => one.name === item.is)?.takes ?? "nothing";
    if (takes === "nothing" || (takes === "choice" && kind.choices.some(([value]) => value === ""))) return false;
    return [item.value].flat().some((value) => value === null || !String(value).trim());
  };

  let timer, asked = 0;
  const countSoon = () => {
    clearTimeout(timer);
    timer = setTimeout(countNow, 400);
  };
  const countNow = async () => {
    const mine = ++asked;
    if (waits(tree)) {
      status.classList.remove("c-error");
      status.textContent = "Fill in every condition to see how many people it finds.";
      return;
    }
    status.textContent = "Counting…";
    const answer = await fetch(box.dataset.countUrl, {
      method: "POST",
      headers: { "X-CSRFToken": token, "Content-Type": "application/json" },
      body: JSON.stringify(tree),
    }).catch(() => null);
    if (mine !== asked) return;
    const told = answer && answer.ok ? await answer.json() : { problem: "The number of people cannot be asked just now." };
    status.classList.toggle("c-error", "problem" in told);
    status.textContent = told.problem ?? `${told.count.toLocaleString("en")} ${told.count === 1 ? "person" : "people"} found`;
  };

  field.hidden = true;
  field.value = JSON.stringify(tree);
  draw();
  countNow();
}
