"use strict";
// The gallery of a page: filters, pages, and one picture at a time. What it shows is set as text, never as HTML.
(() => {
  const PAGE = 60;
  const find = (id) => document.getElementById(id);
  const data = JSON.parse(find("data").textContent);
  const form = find("filter"), list = find("cards"), viewer = find("viewer");
  let offset = 0, total = 0, cards = [], open = -1, asked = 0;

  function make(tag, properties = {}, ...children) {
    const made = Object.assign(document.createElement(tag), properties);
    made.append(...children.filter((child) => child !== null));
    return made;
  }

  // ---- what is asked for, here or of the server ----

  function filterOf() {
    const found = {};
    for (const field of form.elements) if (field.name && field.value !== "") found[field.name] = field.value;
    return found;
  }

  function lowest(card) {
    const known = card.labels.flatMap((label) => label.classes.map((one) => one[1])).filter((one) => one !== null);
    return known.length ? Math.min(...known) : null;
  }

  function matches(card, wanted) {
    const confidence = lowest(card);
    return (wanted.part === undefined || card.part === +wanted.part)
      && (wanted.class === undefined || card.labels.some((one) => one.classes.some((name) => name[0] === +wanted.class)))
      && (wanted.job === undefined || card.labels.some((one) => one.job === +wanted.job))
      && (wanted.code === undefined || (card.problems || []).some((one) => one[0] === data.codes[+wanted.code]))
      && (wanted.low === undefined || (confidence !== null && confidence >= +wanted.low))
      && (wanted.high === undefined || (confidence !== null && confidence <= +wanted.high))
      && (wanted.show === undefined || showable(card, wanted.show));
  }

  function showable(card, what) {
    if (what === "doubtful") return Boolean(card.doubtful);
    if (what === "problem") return Boolean(card.problems);
    return card.labels.some((label) => label.state === what) || (what === "unlabelled" && !card.labels.length);
  }

  async function ask(wanted) {
    if (!data.api) {
      const found = data.cards.filter((card) => matches(card, wanted));
      return { total: found.length, cards: found.slice(offset, offset + PAGE) };
    }
    const answer = await fetch(`${data.api}?${new URLSearchParams({ ...wanted, offset, count: PAGE })}`);
    if (!answer.ok) throw new Error((await answer.text()).trim() || `the server answered ${answer.status}`);
    return answer.json();
  }

  // ---- cards ----

  function shot(card, source) {
    if (source) {
      const image = make("img", { src: source, alt: titleOf(card), loading: "lazy", decoding: "async" });
      image.addEventListener("error", async () => {
        const why = make("p", { textContent: "cannot be shown", dir: "auto" });
        image.replaceWith(why);
        // A server says why in words, as long as it runs.
        const answer = data.api ? await fetch(source).catch(() => null) : null;
        if (answer && !answer.ok) why.textContent = (await answer.text()).trim() || why.textContent;
      });
      return make("div", { className: "shot" }, image);
    }
    const text = card.text || card.missing || "no picture";
    return make("div", { className: "shot" }, make("p", { className: card.text ? "text" : "", textContent: text, dir: "auto" }));
  }

  function titleOf(card) {
    const names = card.labels.flatMap((label) => label.classes.map((one) => data.classes[one[0]]));
    return `line ${card.line}: ${names.join(", ") || stateOf(card)}`;
  }

  function stateOf(card) {
    return card.labels.length ? card.labels.map((label) => label.classes.length ? "" : wordOf(label)).filter(Boolean).join(", ") : "no label";
  }

  function wordOf(label) {
    return label.state === "labelled" ? "labelled, no class" : label.state;
  }

  function labelRows(card, named) {
    const rows = [];
    for (const label of card.labels) {
      if (named && card.labels.length > 1) rows.push(make("li", { className: "faint" }, make("span", { className: "name", textContent: label.attribute })));
      if (!label.classes.length) rows.push(make("li", { className: "faint", textContent: wordOf(label) }));
      for (const [at, [number, confidence, count]] of label.classes.entries()) {
        const dot = make("span", { className: "dot" });
        dot.style.backgroundColor = (label.colours || [])[at] || data.colours[number % data.colours.length];
        const many = count > 1 ? ` × ${count}` : "";
        rows.push(make("li", {}, dot, make("span", { className: "name", textContent: data.classes[number] + many, dir: "auto" }),
          confidence === null ? null : make("span", { className: "number", textContent: confidence.toFixed(2) })));
      }
    }
    return make("ul", {}, ...(rows.length ? rows : [make("li", { className: "faint", textContent: "no label" })]));
  }

  function badges(card) {
    const codes = [...new Set((card.problems || []).map((one) => one[0]))];
    return [
      ...codes.map((code) => make("span", { className: "badge", textContent: code })),
      ...(card.doubtful ? [make("span", { className: "badge soft", textContent: "doubtful" })] : []),
    ];
  }

  function whereOf(card) {
    return (data.parts.length > 1 ? `${data.parts[card.part]}:` : "line ") + card.line;
  }

  function cardElement(card, onOpen) {
    const below = make("div", { className: "below" }, labelRows(card, false), ...badges(card), make("p", { className: "where", textContent: whereOf(card) }));
    const button = make("button", { type: "button", className: card.problems ? "card wrong" : "card" }, shot(card, card.picture), below);
    button.setAttribute("aria-label", `${titleOf(card)}, ${whereOf(card)}`);
    button.addEventListener("click", onOpen);
    document.dispatchEvent(new CustomEvent("card-made", { detail: { card, button } }));
    return make("li", {}, button);
  }

  async function refresh() {
    const mine = ++asked;
    let answer;
    try {
      answer = await ask(filterOf());
    } catch (error) {
      answer = { total: 0, cards: [], wrong: String(error.message || error) };
    }
    if (mine !== asked) return;
    ({ total, cards } = answer);
    list.replaceChildren(...cards.map((card, at) => cardElement(card, () => show(at))));
    if (!cards.length) list.append(make("li", { className: "empty", textContent: answer.wrong || "nothing like that" }));
    const last = offset + cards.length;
    find("count").textContent = total ? `${(offset + 1).toLocaleString("en")} to ${last.toLocaleString("en")} of ${total.toLocaleString("en")}` : "none";
    for (const button of find("pager").querySelectorAll("button")) button.disabled = +button.dataset.step < 0 ? offset === 0 : last >= total;
  }

  async function turn(step) {
    const next = offset + step * PAGE;
    if (next < 0 || next >= total) return false;
    offset = next;
    await refresh();
    return true;
  }

  // ---- one picture ----

  function show(at) {
    open = at;
    fill(cards[at]);
    if (!viewer.open) viewer.showModal();
  }

  function fill(card) {
    find("viewer-title").textContent = whereOf(card);
    find("viewer-shot").replaceChildren(...shot(card, card.large || card.picture).childNodes);
    const facts = [make("div", { className: "below" }, labelRows(card, true))];
    for (const label of card.labels) {
      const words = [label.by && `labelled by ${label.by}`, label.date && `on ${label.date}`, label.job >= 0 && `in ${data.jobs[label.job]}`].filter(Boolean);
      if (words.length) facts.push(make("p", { className: "faint", textContent: words.join(" ") }));
    }
    for (const [code, message] of card.problems || []) facts.push(make("p", {}, make("span", { className: "badge", textContent: code }), ` ${message}`));
    if (card.text && card.picture) facts.push(make("p", { textContent: card.text, dir: "auto" }));
    if (card.name) facts.push(make("p", {}, make("code", { textContent: card.name })));
    if (card.missing) facts.push(make("p", { className: "faint", textContent: card.missing }));
    find("viewer-facts").replaceChildren(...facts);
    document.dispatchEvent(new CustomEvent("card-shown", { detail: { card, facts: find("viewer-facts") } }));
  }

  // One step after another: the next key may come before a server has answered the last one.
  let steps = Promise.resolve();
  const queued = (task) => { steps = steps.then(task); };

  async function step(by) {
    if (open < 0) return;
    let next = open + by;
    if (next >= cards.length && (await turn(1))) next = 0;
    else if (next < 0 && (await turn(-1))) next = cards.length - 1;
    if (next >= 0 && next < cards.length) show(next);
  }

  viewer.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (event.target === viewer || (button && "close" in button.dataset)) viewer.close();
    else if (button && button.dataset.step) queued(() => step(+button.dataset.step));
  });
  viewer.addEventListener("close", () => {
    const button = open >= 0 && list.querySelectorAll(".card")[open];
    if (button) button.focus();
    open = -1;
  });

  // ---- keys ----

  function columns() {
    return Math.max(1, getComputedStyle(list).gridTemplateColumns.split(" ").length);
  }

  function move(by) {
    const buttons = [...list.querySelectorAll(".card")];
    const at = buttons.indexOf(document.activeElement);
    const next = buttons[at + by];
    if (at >= 0 && next) next.focus();
    return at >= 0;
  }

  document.addEventListener("keydown", (event) => {
    const typing = /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName);
    if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
    if (viewer.open) {
      if (event.key === "ArrowLeft" || event.key === "ArrowRight") queued(() => step(event.key === "ArrowLeft" ? -1 : 1));
      return;
    }
    if (!form) return;
    const moves = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns(), ArrowDown: columns() };
    if (event.key in moves) {
      if (move(moves[event.key])) event.preventDefault();
    } else if (event.key === "/") {
      event.preventDefault();
      form.elements.class.focus();
    } else if (event.key === "n" || event.key === "p") {
      queued(() => turn(event.key === "n" ? 1 : -1));
    }
  });

  // ---- the beginning ----

  function choices(name, all, names) {
    const field = form.elements[name];
    field.replaceChildren(make("option", { value: "", textContent: all }), ...names.map(([value, text]) => make("option", { value, textContent: text })));
    field.closest("label").hidden = !names.length;
  }

  function begin() {
    const numbered = (names) => names.map((name, at) => [at, name]);
    choices("part", "all files", data.parts.length > 1 ? numbered(data.parts) : []);
    choices("class", "all classes", numbered(data.classes));
    choices("job", "all jobs", data.jobs.length > 1 ? numbered(data.jobs) : []);
    choices("code", "any or none", numbered(data.codes));
    choices("show", "everything", [["doubtful", "doubtful"], ["problem", "with a problem"], ["labelled", "labelled"], ["failed", "failed"], ["unlabelled", "without a label"],
      ...(data.api ? [["conflict", "of pictures with several labels"], ["repeated", "of pictures on several lines"]] : [])]);
    form.addEventListener("input", () => { offset = 0; refresh(); });
    form.addEventListener("reset", () => setTimeout(() => { offset = 0; refresh(); }));
    form.addEventListener("submit", (event) => event.preventDefault());
    find("pager").addEventListener("click", (event) => { if (event.target.dataset.step) queued(() => turn(+event.target.dataset.step)); });
    refresh();
  }

  for (const group of data.groups) {
    const cardList = make("ul", { className: "cards" }, ...group.cards.map((card) => cardElement(card, () => { open = -1; fill(card); viewer.showModal(); })));
    find("group-list").append(make("div", { className: "group" }, make("h3", { textContent: group.title, dir: "auto" }), cardList));
  }
  if (form) begin();
})();
