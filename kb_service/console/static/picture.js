"use strict";
// The problem graph on a canvas: dragged, zoomed, filtered and walked. Where nodes stand is told by the server; the
// card beside the picture is the server's page at that node. Without this script that page and its lists do all of it.
(() => {
  const stage = document.querySelector("[data-picture]");
  if (!stage) return;
  const canvas = stage.querySelector("canvas");
  const pen = canvas.getContext("2d");
  const form = document.querySelector("form.chooser");
  const count = stage.querySelector(".count");
  const said = stage.querySelector("[data-said]");
  const FEW_TIES = 400, MOST_LABELS = 60, LABELLED = 7.5, LONGEST = 26, CLOSEST = 6, NEAR = 12;
  const SIGNS = { open: "!", regressed: "!!", acknowledged: "•", silenced: "–", candidate: "?", resolved: "✓" };
  const HOLLOW = new Set(["silenced", "candidate", "resolved"]);
  let nodes = [], ties = [], fields = [], beside = [], visible = [], colours = {};
  let scale = 1, left = 0, top = 0, fitted = 1, width = 0, height = 0;
  let selected = -1, over = -1, everyTie = false, drawing = false, asking = null, walked = 0;

  // --- what is drawn

  async function load() {
    const answer = await fetch(stage.dataset.picture);
    if (!answer.ok) return;
    const told = await answer.json();
    nodes = told.nodes.map(([id, kind, name, x, y, radius, state, customers, age]) => (
      { id, kind: told.kinds[kind], name, x, y, radius, state: told.states[state] || "", customers, age, shown: true }));
    ties = told.ties;
    fields = told.fields.map(([id, x, y, radius]) => ({ id, x, y, radius }));
    beside = nodes.map(() => []);
    for (const [one, other] of ties) { beside[one].push(other); beside[other].push(one); }
    stage.querySelector(".tools").hidden = false;
    paint();
    measure();
    filter();
    selected = at(document.getElementById("card").dataset.at);
    fit(selected < 0 ? visible : around(selected));
    stage.dataset.ready = "yes";
  }

  const at = (id) => (id ? nodes.findIndex((node) => node.id === id) : -1);
  const around = (place) => [place, ...beside[place].filter((other) => nodes[other].shown)];

  function paint() {
    const style = getComputedStyle(stage);
    const of = (name) => style.getPropertyValue(name).trim();
    colours = { paper: of("--card"), ink: of("--ink"), soft: of("--soft"), line: of("--line"), accent: of("--accent"),
      field: of("--field"), rim: of("--rim"), sign: of("--sign") };
    for (const name of [...Object.keys(SIGNS), "product", "policy", "answer", "expertise"]) colours[name] = of(`--fill-${name}`);
  }

  function measure() {
    const box = canvas.getBoundingClientRect();
    const dense = Math.min(2, window.devicePixelRatio || 1);
    [width, height] = [box.width, box.height];
    canvas.width = Math.round(width * dense);
    canvas.height = Math.round(height * dense);
    pen.setTransform(dense, 0, 0, dense, 0, 0);
    redraw();
  }

  // The same choice as the server's lists make.
  function filter() {
    const given = new FormData(form);
    const kinds = new Set(given.getAll("kind"));
    const [state, days, text] = [given.get("state"), given.get("days"), given.get("q").trim().toLowerCase()];
    const wanted = nodes.map((node) => node.kind === "problem" && (!state || node.state === state)
      && (!days || (node.age >= 0 && node.age <= Number(days))));
    const kept = nodes.map((node, place) => node.kind === "problem" ? wanted[place]
      : !(state || days) || beside[place].some((other) => wanted[other]));
    const called = nodes.map((node, place) => kept[place] && (!text || node.name.toLowerCase().includes(text)));
    nodes.forEach((node, place) => {
      node.called = called[place];
      node.shown = kinds.has(node.kind) && kept[place] && (called[place] || beside[place].some((other) => called[other]));
    });
    visible = nodes.flatMap((node, place) => (node.shown ? [place] : []));
    count.textContent = stage.dataset.count.replace("{shown}", visible.length).replace("{all}", nodes.length);
    redraw();
  }

  // --- drawing

  function redraw() {
    if (drawing) return;
    drawing = true;
    requestAnimationFrame(() => { drawing = false; draw(); });
  }

  const across = (x) => x * scale + left;
  const down = (y) => y * scale + top;

  function draw() {
    pen.clearRect(0, 0, width, height);
    drawFields();
    const lit = new Set(selected < 0 ? [] : around(selected));
    if (over >= 0) lit.add(over);
    drawTies(lit);
    const seen = visible.filter((place) => inside(nodes[place]));
    if (selected >= 0 && !nodes[selected].shown && inside(nodes[selected])) seen.push(selected);
    for (const place of seen) {
      pen.globalAlpha = selected < 0 || lit.has(place) ? 1 : 0.22;
      drawNode(nodes[place]);
    }
    pen.globalAlpha = 1;
    for (const place of [over, selected]) if (place >= 0) ring(nodes[place], place === selected ? 3 : 2);
    drawLabels(seen, lit);
  }

  function inside(node) {
    const reach = node.radius * scale + 2, x = across(node.x), y = down(node.y);
    return x > -reach && y > -reach && x < width + reach && y < height + reach;
  }

  function drawFields() {
    pen.fillStyle = colours.field;
    for (const field of fields) {
      pen.beginPath();
      pen.arc(across(field.x), down(field.y), field.radius * scale, 0, 2 * Math.PI);
      pen.fill();
    }
  }

  // Every tie where they are few; else those of the chosen node alone, since thousands of lines say nothing.
  function drawTies(lit) {
    const all = everyTie || visible.length <= FEW_TIES;
    if (all) {
      pen.strokeStyle = colours.rim;
      pen.globalAlpha = selected < 0 ? 0.35 : 0.12;
      pen.lineWidth = 1;
      pen.beginPath();
      for (const [one, other] of ties) if (nodes[one].shown && nodes[other].shown) line(nodes[one], nodes[other]);
      pen.stroke();
    }
    pen.strokeStyle = colours.accent;
    pen.globalAlpha = 0.8;
    pen.lineWidth = 1.6;
    pen.beginPath();
    for (const from of new Set([selected, over])) {
      if (from >= 0) for (const other of beside[from]) if (nodes[other].shown) line(nodes[from], nodes[other]);
    }
    pen.stroke();
    pen.globalAlpha = 1;
  }

  function line(one, other) {
    pen.moveTo(across(one.x), down(one.y));
    pen.lineTo(across(other.x), down(other.y));
  }

  function outline(kind, x, y, size) {
    pen.beginPath();
    if (kind === "problem") pen.arc(x, y, size, 0, 2 * Math.PI);
    else if (kind === "product") pen.rect(x - size * 0.86, y - size * 0.86, size * 1.72, size * 1.72);
    else {
      const corners = { policy: [[0, -1], [1, 0], [0, 1], [-1, 0]], answer: [[0, -1], [0.95, 0.75], [-0.95, 0.75]],
        expertise: [[-1, 0], [-0.5, -0.87], [0.5, -0.87], [1, 0], [0.5, 0.87], [-0.5, 0.87]] }[kind];
      corners.forEach(([right, low], corner) => pen[corner ? "lineTo" : "moveTo"](x + right * size, y + low * size));
      pen.closePath();
    }
  }

  function drawNode(node) {
    const x = across(node.x), y = down(node.y), size = Math.max(1, node.radius * scale);
    const colour = colours[node.state || node.kind];
    if (size < 2) {
      pen.fillStyle = colour;
      pen.fillRect(x - size, y - size, size * 2, size * 2);
      return;
    }
    outline(node.kind, x, y, size);
    const hollow = HOLLOW.has(node.state);
    pen.fillStyle = hollow ? colours.paper : colour;
    pen.fill();
    if (hollow) {
      pen.strokeStyle = colour;
      pen.lineWidth = Math.min(2, size / 3);
      if (node.state === "candidate" && size > 5) pen.setLineDash([3, 2]);
      pen.stroke();
      pen.setLineDash([]);
    }
    if (node.state && size >= 7) {
      pen.fillStyle = hollow ? colour : colours.sign;
      pen.font = `700 ${Math.round(Math.min(22, size * 1.1))}px system-ui, sans-serif`;
      pen.textAlign = "center";
      pen.textBaseline = "middle";
      pen.fillText(SIGNS[node.state], x, y + 1);
    }
  }

  function ring(node, thick) {
    pen.strokeStyle = colours.accent;
    pen.lineWidth = thick;
    pen.beginPath();
    pen.arc(across(node.x), down(node.y), Math.max(3, node.radius * scale) + thick + 1, 0, 2 * Math.PI);
    pen.stroke();
  }

  // The chosen node and its neighbours first, then expertise, then the largest; none covers another.
  function drawLabels(seen, lit) {
    const placed = [];
    const first = (place) => place === selected || place === over ? 0 : lit.has(place) ? 1 : nodes[place].kind === "expertise" ? 2 : 3;
    const order = seen.filter((place) => selected < 0 || lit.has(place)).sort((a, b) => first(a) - first(b) || a - b);
    pen.textAlign = "center";
    pen.textBaseline = "top";
    pen.lineJoin = "round";
    pen.strokeStyle = colours.paper;
    for (const place of order) {
      if (placed.length >= MOST_LABELS) break;
      const node = nodes[place];
      if (first(place) === 3 && node.radius * scale < LABELLED) continue;
      label(node.name, across(node.x), down(node.y) + Math.max(2, node.radius * scale) + 2, placed,
        { bold: node.kind === "expertise" || place === selected, always: place === selected || place === over });
    }
    for (const field of fields) {
      if (!field.id) label(stage.dataset.nowhere, across(field.x), down(field.y - field.radius) + 4, placed, { soft: true });
    }
  }

  function label(name, x, y, placed, { bold = false, always = false, soft = false }) {
    const text = always ? name : shortened(name);
    pen.font = `${bold ? 650 : 400} 12.5px system-ui, "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", "WenQuanYi Micro Hei", sans-serif`;
    const half = pen.measureText(text).width / 2 + 3;
    const middle = Math.min(Math.max(x, half + 2), width - half - 2);
    const box = [middle - half, y - 1, middle + half, y + 15];
    if (!always && (x < 0 || x > width || y < 0 || y > height - 8)) return;
    if (!always && placed.some((other) => box[0] < other[2] && box[2] > other[0] && box[1] < other[3] && box[3] > other[1])) return;
    placed.push(box);
    pen.lineWidth = 4;
    pen.strokeText(text, middle, y);
    pen.fillStyle = soft ? colours.soft : colours.ink;
    pen.fillText(text, middle, y);
  }

  // A Chinese character is as wide as two letters.
  function shortened(name) {
    let wide = 0;
    for (let end = 0; end < name.length; end += 1) {
      wide += name.charCodeAt(end) > 0x2e80 ? 2 : 1;
      if (wide > LONGEST) return `${name.slice(0, end).trimEnd()}…`;
    }
    return name;
  }

  // --- where one looks

  function fit(places) {
    const those = places.length ? places : nodes.map((_, place) => place);
    const lows = [Infinity, Infinity], highs = [-Infinity, -Infinity];
    for (const place of those) {
      const { x, y, radius } = nodes[place];
      lows[0] = Math.min(lows[0], x - radius); highs[0] = Math.max(highs[0], x + radius);
      lows[1] = Math.min(lows[1], y - radius); highs[1] = Math.max(highs[1], y + radius);
    }
    scale = Math.min(1.8, (width - 60) / (highs[0] - lows[0]), (height - 70) / (highs[1] - lows[1]));
    if (those.length > 1 && those.length === visible.length) fitted = scale;
    left = width / 2 - (lows[0] + highs[0]) / 2 * scale;
    top = height / 2 - (lows[1] + highs[1]) / 2 * scale;
    redraw();
  }

  function zoom(factor, x = width / 2, y = height / 2) {
    const next = Math.min(CLOSEST, Math.max(Math.min(fitted, 1) * 0.5, scale * factor));
    left = x - (x - left) * next / scale;
    top = y - (y - top) * next / scale;
    scale = next;
    redraw();
  }

  function nearest(x, y) {
    let found = -1, least = Infinity;
    for (const place of visible) {
      const node = nodes[place];
      const away = Math.hypot(across(node.x) - x, down(node.y) - y) - node.radius * scale;
      if (away < least) { least = away; found = place; }
    }
    return least <= NEAR ? found : -1;
  }

  // --- walking

  function address(id) {
    const given = new URLSearchParams(new FormData(form));
    const kinds = given.getAll("kind");
    given.delete("at");
    if (kinds.length === form.querySelectorAll("[name=kind]").length) given.delete("kind");
    for (const name of ["q", "state", "days"]) if (!given.get(name)) given.delete(name);
    if (id) given.set("at", id);
    const told = given.toString();
    return `${location.pathname}${told ? `?${told}` : ""}`;
  }

  function choose(place, { look = false, keep = true, focus = false } = {}) {
    selected = place;
    over = -1;
    const node = nodes[place];
    said.textContent = node ? node.name : "";
    if (look || (node && !inside(node))) fit(node ? around(place) : visible);
    if (keep) { history.pushState({ at: node ? node.id : "" }, "", address(node && node.id)); walked += 1; }
    redraw();
    show(focus);
  }

  // The card, or the list of what is shown, as the server writes it.
  async function show(focus = false) {
    if (asking) asking.abort();
    asking = new AbortController();
    const card = document.getElementById("card");
    card.setAttribute("aria-busy", "true");
    try {
      const answer = await fetch(address(selected < 0 ? "" : nodes[selected].id), { signal: asking.signal });
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("card");
      if (!fresh) { location.reload(); return; }
      card.replaceWith(document.adoptNode(fresh));
      if (focus) fresh.querySelector("#card-title").focus();
    } catch (error) {
      if (error.name !== "AbortError") card.removeAttribute("aria-busy");
    }
  }

  function back() {
    if (selected < 0) return;
    if (walked > 0) history.back();
    else choose(-1, { keep: false });
  }

  const WAYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

  // The nearest node that lies that way, or the largest to begin with.
  function step([right, low]) {
    if (selected < 0) { if (visible.length) choose(visible.find((place) => nodes[place].kind === "problem") ?? visible[0]); return; }
    const from = nodes[selected];
    let found = -1, least = Infinity;
    for (const place of visible) {
      const x = nodes[place].x - from.x, y = nodes[place].y - from.y;
      const along = x * right + y * low, aside = Math.abs(x * low) + Math.abs(y * right);
      if (place === selected || along <= 0 || aside > along) continue;
      if (along + aside < least) { least = along + aside; found = place; }
    }
    if (found >= 0) choose(found);
  }

  // --- what people do

  canvas.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const way = WAYS[event.key];
    if (way && event.shiftKey) { left -= way[0] * 80; top -= way[1] * 80; redraw(); }
    else if (way) step(way);
    else if (event.key === "+" || event.key === "=") zoom(1.4);
    else if (event.key === "-") zoom(1 / 1.4);
    else if (event.key === "0") fit(visible);
    else if (event.key === "Enter" && selected >= 0) document.getElementById("card-title").focus();
    else return;
    event.preventDefault();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || event.target.closest("input, select") || selected < 0) return;
    event.preventDefault();
    back();
  });

  const held = new Map();
  let moved = 0, apart = 0;
  const place = (event) => { const box = canvas.getBoundingClientRect(); return [event.clientX - box.left, event.clientY - box.top]; };
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    held.set(event.pointerId, place(event));
    if (held.size === 1) moved = 0;
    apart = 0;
    canvas.classList.add("held");
  });
  canvas.addEventListener("pointermove", (event) => {
    const [x, y] = place(event);
    const before = held.get(event.pointerId);
    if (!before) {
      const found = nearest(x, y);
      canvas.classList.toggle("over", found >= 0);
      if (found !== over) { over = found; redraw(); }
      return;
    }
    held.set(event.pointerId, [x, y]);
    moved += Math.abs(x - before[0]) + Math.abs(y - before[1]);
    if (held.size === 2) {
      const [one, other] = [...held.values()];
      const now = Math.hypot(one[0] - other[0], one[1] - other[1]);
      if (apart) zoom(now / apart, (one[0] + other[0]) / 2, (one[1] + other[1]) / 2);
      apart = now;
      return;
    }
    left += x - before[0];
    top += y - before[1];
    redraw();
  });
  function released(event) {
    const alone = held.size === 1;
    held.delete(event.pointerId);
    apart = 0;
    if (held.size) return;
    canvas.classList.remove("held");
    if (event.type !== "pointerup" || !alone || moved > 6) return;
    const found = nearest(...place(event));
    if (found >= 0 && found !== selected) choose(found);
    else if (found < 0 && selected >= 0) choose(-1);
  }
  canvas.addEventListener("pointerup", released);
  canvas.addEventListener("pointercancel", released);
  canvas.addEventListener("pointerleave", () => { if (over >= 0 && !held.size) { over = -1; redraw(); } });
  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    zoom(Math.exp(-Math.max(-120, Math.min(120, event.deltaY)) / 300), ...place(event));
  }, { passive: false });

  stage.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    if (button.dataset.zoom === "in") zoom(1.4);
    else if (button.dataset.zoom === "out") zoom(1 / 1.4);
    else if (button.dataset.zoom === "fit") fit(visible);
    else if ("links" in button.dataset) {
      everyTie = !everyTie;
      button.setAttribute("aria-pressed", String(everyTie));
      redraw();
    }
  });

  // A link to a node walks there; with a key held it opens a page as any link does.
  document.addEventListener("click", (event) => {
    const link = event.target.closest("#card a[data-node]");
    if (!link || !nodes.length || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    choose(at(link.dataset.node), { look: true, focus: event.detail === 0 });
  });

  let waiting = 0;
  form.addEventListener("input", () => {
    if (!nodes.length) return;
    filter();
    clearTimeout(waiting);
    waiting = setTimeout(() => {
      history.replaceState(history.state, "", address(selected < 0 ? "" : nodes[selected].id));
      if (selected < 0) show();
    }, 250);
  });
  // Enter goes to the largest node that is called so, and again to the next.
  form.addEventListener("submit", (event) => {
    if (!nodes.length) return;
    event.preventDefault();
    if (!form.elements.q.value.trim()) { fit(visible); return; }
    const called = visible.filter((found) => nodes[found].called);
    if (called.length) choose(called[(called.indexOf(selected) + 1) % called.length], { look: true });
  });
  window.addEventListener("popstate", () => {
    walked = Math.max(0, walked - 1);
    const id = new URLSearchParams(location.search).get("at") || "";
    choose(at(id.includes(":") ? id : `problem:${id}`), { keep: false });
  });
  new ResizeObserver(measure).observe(canvas);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { paint(); redraw(); });
  load();
})();
