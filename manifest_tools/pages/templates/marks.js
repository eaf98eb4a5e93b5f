"use strict";
// Marks on lines: made with keys or fingers, kept by the server. It comes after page.js, and hears from it.
(() => {
  const find = (id) => document.getElementById(id);
  const data = JSON.parse(find("data").textContent);
  if (!data.marks) return;
  const bar = find("marks"), viewer = find("viewer"), buttons = new WeakMap(), undo = [];
  const WORDS = { wrong: "wrong", unsure: "unsure", note: "note" };
  const KEYED = 9;
  let shown = null;

  function make(tag, properties = {}, ...children) {
    const made = Object.assign(document.createElement(tag), properties);
    made.append(...children.filter((child) => child !== null));
    return made;
  }

  const namesOf = (label) => label.classes.map((one) => data.classes[one[0]]);
  const wordOf = (mark) => (mark.mark === "class" ? `→ ${mark.class.join(", ") || "no class"}` : WORDS[mark.mark]);
  const labelOf = (card) => card.labels.find((label) => label.attribute === panel.attribute) || card.labels[0];
  const panel = { attribute: "" };

  // ---- what the server keeps ----

  async function send(card, attribute, mark, isUndo = false) {
    const body = JSON.stringify({ part: card.part, line: card.line, attribute, ...mark });
    try {
      const answer = await fetch(data.marks, { method: "POST", headers: { "Content-Type": "application/json" }, body });
      if (!answer.ok) throw new Error((await answer.text()).trim());
      const { card: changed, before, marks } = await answer.json();
      if (!isUndo) undo.push([card, attribute, before]);
      for (const label of card.labels) delete label.mark;
      Object.assign(card, changed);
      tell(marks);
      redraw(card);
    } catch (error) {
      say(String(error.message || error));
    }
  }

  async function takeBack() {
    if (!undo.length) return;
    const [card, attribute, before] = undo.pop();
    const { mark, note } = before;
    await send(card, attribute, { mark, note: note || "", ...(mark === "class" ? { class: before.class } : {}) }, true);
  }

  function set(mark, more = {}) {
    if (!shown) return;
    const label = labelOf(shown);
    if (!label) return;
    const note = label.mark ? label.mark.note : "";
    const same = label.mark && label.mark.mark === mark && !("class" in more) && !("note" in more);
    send(shown, label.attribute, same ? { mark: "cleared" } : { mark, note, ...more });
  }

  function choose(name) {
    const label = labelOf(shown);
    if (!label || !label.takes) return;
    if (label.takes === "one") return set("class", { class: name });
    const now = new Set(label.mark && label.mark.mark === "class" ? label.mark.class : namesOf(label));
    if (!now.delete(name)) now.add(name);
    set("class", { class: [...now] });
  }

  // ---- the bar below ----

  function tell({ file, counts, commands }) {
    const all = Object.values(counts).reduce((sum, one) => sum + one, 0);
    const each = Object.entries(counts).map(([what, count]) => `${count.toLocaleString("en")} ${what}`).join(", ");
    find("marks-count").textContent = all ? `${all.toLocaleString("en")} ${all === 1 ? "mark" : "marks"}: ${each}` : "no marks yet";
    find("marks-file").textContent = file;
    find("marks-commands").replaceChildren(...commands.map((one) => make("li", {}, make("code", { textContent: one }))));
    find("marks-next").hidden = !commands.length;
    find("marks-undo").disabled = !undo.length;
    say("");
  }

  function say(text) {
    find("marks-wrong").textContent = text;
  }

  // ---- cards ----

  function redraw(card) {
    const button = buttons.get(card);
    if (button) flag(card, button);
    if (viewer.open && shown === card) fill(card, find("viewer-facts"));
  }

  function flag(card, button) {
    for (const old of button.querySelectorAll(".mark")) old.remove();
    const marked = card.labels.filter((label) => label.mark);
    button.classList.toggle("marked", marked.length > 0);
    for (const { mark } of marked) {
      const old = mark.agreement === "other label";
      button.append(make("span", { className: `mark ${mark.mark}${old ? " old" : ""}`, textContent: wordOf(mark), title: mark.note, dir: "auto" }));
    }
  }

  function key(letter) {
    return make("kbd", { textContent: letter });
  }

  function toggle(text, letter, on, act) {
    const button = make("button", { type: "button", className: on ? "plain on" : "plain" }, make("span", { className: "name", textContent: text, dir: "auto" }), letter ? key(letter) : null);
    button.setAttribute("aria-pressed", String(on));
    button.addEventListener("click", act);
    return button;
  }

  function fill(card, facts) {
    const focused = document.activeElement && document.activeElement.dataset ? document.activeElement.dataset.focus : undefined;
    for (const old of facts.querySelectorAll(".marking")) old.remove();
    const label = labelOf(card);
    if (!label) return;
    const mark = label.mark || { mark: "", class: [], note: "" };
    const box = make("div", { className: "marking" });
    if (card.labels.length > 1) box.append(attributeChoice(card, label));
    const whats = make("div", { className: "choices" },
      toggle("wrong", "w", mark.mark === "wrong", () => set("wrong")), toggle("unsure", "u", mark.mark === "unsure", () => set("unsure")));
    box.append(make("h3", { textContent: "Mark it" }), whats);
    if (label.takes) box.append(make("h3", { textContent: label.takes === "one" ? "or say what it is" : "or say what it shows" }), classChoice(label, mark));
    box.append(noteField(mark));
    if (mark.mark) box.append(state(mark));
    facts.firstElementChild.after(box);
    const again = focused && box.querySelector(`[data-focus="${focused}"]`);
    if (again) again.focus();
  }

  function state(mark) {
    const old = mark.agreement === "other label" ? "; its label is another since" : mark.agreement === "corrected" ? "; the label says so now" : "";
    const clear = make("button", { type: "button", className: "plain", textContent: "take back" });
    clear.addEventListener("click", () => set("cleared", { note: "" }));
    return make("p", {}, make("span", { className: `mark ${mark.mark}`, textContent: wordOf(mark), dir: "auto" }), `${old} `, clear);
  }

  function attributeChoice(card, label) {
    const select = make("select", {}, ...card.labels.map((one) => make("option", { textContent: one.attribute, value: one.attribute, selected: one === label })));
    select.addEventListener("change", () => { panel.attribute = select.value; fill(card, find("viewer-facts")); });
    return make("label", { className: "faint" }, "label ", select);
  }

  function classChoice(label, mark) {
    const names = namesOf(label);
    const chosen = new Set(mark.mark === "class" ? mark.class : label.takes === "many" ? names : []);
    const row = make("div", { className: "choices" });
    data.classes.slice(0, KEYED).forEach((name, at) => {
      const button = toggle(name, String(at + 1), chosen.has(name), () => choose(name));
      if (names.includes(name)) button.classList.add("now");
      row.append(button);
    });
    const other = make("input", { placeholder: data.classes.length > KEYED ? "another of them, or a new one" : "a new class", maxLength: 200, autocomplete: "off" });
    other.setAttribute("list", "class-names");
    other.setAttribute("aria-label", "another class");
    other.dataset.focus = "other";
    other.addEventListener("change", () => { if (other.value.trim()) choose(other.value.trim()); });
    for (const name of mark.class.filter((one) => !data.classes.slice(0, KEYED).includes(one))) row.append(toggle(name, "", true, () => choose(name)));
    row.append(other);
    return row;
  }

  function noteField(mark) {
    const note = make("textarea", { rows: 2, value: mark.note, placeholder: "a note (n)", maxLength: 10000 });
    note.setAttribute("aria-label", "note");
    note.dataset.focus = "note";
    note.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && !event.shiftKey) { event.preventDefault(); note.blur(); }
      if (event.key === "Escape") { event.preventDefault(); event.stopPropagation(); note.value = mark.note; note.blur(); }
    });
    note.addEventListener("change", () => {
      const text = note.value.trim();
      if (!text && mark.mark === "note") set("cleared", { note: "" });
      else set(mark.mark || "note", { note: text, ...(mark.mark === "class" ? { class: mark.class } : {}) });
    });
    return note;
  }

  // ---- what page.js tells, and keys ----

  document.addEventListener("card-made", ({ detail: { card, button } }) => {
    buttons.set(card, button);
    button.addEventListener("focus", () => { shown = card; });
    flag(card, button);
  });
  document.addEventListener("card-shown", ({ detail: { card, facts } }) => {
    shown = card;
    if (card.labels.some((label) => "takes" in label)) fill(card, facts);
  });
  document.addEventListener("keydown", (event) => {
    if (/^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName) || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "z") return void takeBack();
    if (!shown || !(viewer.open || document.activeElement.classList.contains("card"))) return;
    if (event.key === "w") set("wrong");
    else if (event.key === "u") set("unsure");
    else if (/^[1-9]$/.test(event.key) && data.classes[+event.key - 1] !== undefined) choose(data.classes[+event.key - 1]);
    else if (event.key === "n" && viewer.open) {
      event.preventDefault();
      viewer.querySelector("textarea").focus();
    }
  });
  find("marks-undo").addEventListener("click", takeBack);
  find("marks-keys").append(...data.classes.slice(0, KEYED).map((name, at) => make("span", {}, key(String(at + 1)), " ", make("bdi", { className: "name", textContent: name }))));
  find("class-names").append(...data.classes.map((name) => make("option", { value: name })));
  bar.hidden = false;
  fetch(data.marks).then((answer) => answer.json()).then(tell).catch((error) => say(String(error.message || error)));
})();
