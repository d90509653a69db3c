"use strict";
// Asks the server for the state of the training, and draws it.

const SPAN = 1.15;
const $ = (id) => document.getElementById(id);
const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const SELECTS = ["data", "activation", "lossname", "optimizer", "lr", "weight_decay"];
const RANGES = ["samples", "noise", "depth", "option", "batch_size"];
const START = { data: "moons", samples: 200, noise: 0.08, seed: 0, hidden: [8, 8], activation: "tanh", lossname: "BCEWithLogitsLoss",
  optimizer: "Adam", lr: "0.03", weight_decay: "0", batch_size: 32 };
let state = null;
let hidden = [...START.hidden];

// ------------------------------------------------------------------------------------------ the server
async function ask(path, body) {
  try {
    const answer = await fetch(path, body === undefined ? {} : { method: "POST", body: JSON.stringify(body) });
    const data = await answer.json();
    if (!answer.ok) return tell(data.error);
    tell(data.diverged ? "The loss is no longer a finite number: the training has diverged. Try a smaller learning rate, then Reset." : "");
    state = data;
    show();
  } catch {
    tell("The server does not answer. Was it ended in the terminal?");
    if (state) state.playing = false;
  }
}

function tell(text) {
  $("message").textContent = text;
  $("message").hidden = !text;
}

const setup = () => ({ data: $("data").value, samples: +$("samples").value, noise: +$("noise").value, seed: Math.trunc(+$("seed").value || 0),
  hidden, activation: $("activation").value, loss: $("lossname").value,
  option: CHOICES.losses[$("lossname").value].option ? +$("option").value : null,
  optimizer: $("optimizer").value, lr: +$("lr").value, weight_decay: +$("weight_decay").value, batch_size: +$("batch_size").value });

async function renew() {
  const playing = state?.playing;
  await ask("/setup", setup());
  if (playing) await ask("/run", { on: true });
}

const play = () => ask("/run", { on: !state?.playing });
const step = () => ask("/step", { count: 1 });
const reset = () => ask("/reset", {});

(async function poll() {
  if (state?.playing) await ask("/state");
  setTimeout(poll, state?.playing ? 90 : 250);
})();

// ---------------------------------------------------------------------------------------- the settings
function fill(id, values, labels = values) {
  $(id).replaceChildren(...values.map((value, i) => new Option(labels[i], value)));
}

function offer() {
  const names = CHOICES.data[$("data").value].losses;
  const before = $("lossname").value;
  fill("lossname", names);
  $("lossname").value = names.includes(before) ? before : names[0];
  offerOption();
}

function offerOption() {
  const { option } = CHOICES.losses[$("lossname").value];
  $("option-label").hidden = !option;
  if (!option) return;
  $("option-label").firstChild.textContent = `${option.name} `;
  Object.assign($("option"), { min: option.least, max: option.most, step: option.step, value: option.start });
  outputs();
}

function offerWidths() {
  const depth = +$("depth").value;
  hidden = Array.from({ length: depth }, (_, i) => hidden[i] ?? 8);
  $("widths").replaceChildren(...hidden.map((width, i) => {
    const label = document.createElement("label");
    const input = Object.assign(document.createElement("input"), { type: "range", min: 1, max: 16, step: 1, value: width });
    const output = Object.assign(document.createElement("output"), { textContent: width });
    label.append(`Width of layer ${i + 1} `, input, output);
    input.addEventListener("input", () => { output.textContent = hidden[i] = +input.value; });
    input.addEventListener("change", renew);
    return label;
  }));
}

function outputs() {
  for (const id of RANGES) $(id).nextElementSibling.textContent = $(id).value;
}

function prepare() {
  fill("data", Object.keys(CHOICES.data), Object.values(CHOICES.data).map((d) => d.label));
  fill("activation", CHOICES.activations);
  fill("optimizer", CHOICES.optimizers);
  fill("lr", ["0.0001", "0.0003", "0.001", "0.003", "0.01", "0.03", "0.1", "0.3", "1", "3", "10"]);
  fill("weight_decay", ["0", "0.0001", "0.001", "0.01", "0.1"]);
  $("data").value = START.data;
  offer();
  for (const id of [...SELECTS, "samples", "noise", "seed", "batch_size"]) if (START[id] !== undefined) $(id).value = START[id];
  offerOption();
  $("depth").value = hidden.length;
  offerWidths();
  outputs();
  for (const id of [...SELECTS, ...RANGES, "seed"]) {
    $(id).addEventListener("input", outputs);
    $(id).addEventListener("change", () => {
      if (id === "data") offer();
      if (id === "lossname") offerOption();
      if (id === "depth") offerWidths();
      renew();
    });
  }
  $("play").addEventListener("click", play);
  $("step").addEventListener("click", step);
  $("reset").addEventListener("click", reset);
  for (const id of ["arrows", "held-points", "log", "show-grads"]) $(id).addEventListener("change", show);
  $("theme").addEventListener("click", () => theme(document.documentElement.dataset.theme === "dark" ? "light" : "dark"));
  $("copy").addEventListener("click", async () => {
    await navigator.clipboard?.writeText(state.code);
    $("copy").textContent = "Copied";
    setTimeout(() => { $("copy").textContent = "Copy"; }, 1200);
  });
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || /^(INPUT|SELECT|TEXTAREA|BUTTON)$/.test(event.target.tagName)) return;
    const act = { " ": play, s: step, r: reset }[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });
  theme(matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
  window.addEventListener("resize", () => state && show());
  ask("/setup", setup());
}

function theme(name) {
  document.documentElement.dataset.theme = name;
  if (state) show();
}

// ---------------------------------------------------------------------------------------------- drawing
const digits = (x) => (x === null || x === undefined ? "–" : Math.abs(x) >= 1e4 || (x && Math.abs(x) < 1e-3) ? x.toExponential(1) : x.toPrecision(3));

/** A canvas as sharp as the screen, cleared; its height follows its attribute's proportions. */
function canvas(id) {
  const it = $(id);
  it.dataset.ratio ??= it.height / it.width;
  it.dataset.least ??= it.height;
  const width = Math.max(120, it.clientWidth);
  const height = Math.round(width * it.dataset.ratio);
  const scale = devicePixelRatio || 1;
  if (it.width !== Math.round(width * scale)) Object.assign(it, { width: Math.round(width * scale), height: Math.round(height * scale) });
  const c = it.getContext("2d");
  c.setTransform(scale, 0, 0, scale, 0, 0);
  c.clearRect(0, 0, width, height);
  c.font = "11px system-ui, sans-serif";
  return { c, width, height };
}

const rgb = (hex) => [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16));
const palette = () => ["--c0", "--c1", "--c2", "--c3"].map(css);
const mixed = (a, b, t) => a.map((v, i) => v + (b[i] - v) * t);

/** The colour of a place of the map: of probabilities, or of a value. */
function colouring(strength = 0.62) {
  const colours = palette().map(rgb);
  const card = rgb(css("--card").length === 7 ? css("--card") : "#ffffff");
  if (state.task === "classes") return (p) => mixed(card, p.reduce((sum, v, k) => sum.map((s, i) => s + v * colours[k][i]), [0, 0, 0]), strength);
  const of = state.task === "binary" ? (v) => 2 * v - 1 : (v) => Math.max(-1, Math.min(1, v / largest()));
  return (v) => { const t = of(v); return mixed(card, colours[t > 0 ? 1 : 0], strength * Math.abs(t)); };
}

const largest = () => Math.max(0.5, ...state.targets.map(Math.abs).sort((a, b) => a - b).slice(0, Math.ceil(state.targets.length * 0.95)));

function show() {
  const norms = state.history.at(-1)?.[3];
  $("steps").textContent = state.steps.toLocaleString("en");
  $("loss").textContent = digits(state.loss);
  $("held").textContent = digits(state.held_out);
  $("norm").textContent = digits(norms);
  $("score-box").hidden = state.score === null;
  $("score").textContent = state.score === null ? "" : `${(100 * state.score).toFixed(1)} %`;
  $("play-sign").setAttribute("d", state.playing ? "M6 4h4v16H6zM14 4h4v16h-4z" : "M7 4v16l13-8z");
  $("play").setAttribute("aria-label", state.playing ? "Pause" : "Play");
  $("code").textContent = state.code;
  drawMap();
  drawHistory();
  drawCurve();
  drawFlow();
  drawNetwork();
}

function image(values, size, colour) {
  const made = document.createElement("canvas");
  made.width = made.height = size;
  const c = made.getContext("2d");
  const data = c.createImageData(size, size);
  values.forEach((v, i) => {
    const [r, g, b] = colour(v);
    const at = 4 * ((size - 1 - Math.floor(i / size)) * size + (i % size));
    data.data.set([r, g, b, 255], at);
  });
  c.putImageData(data, 0, 0);
  return made;
}

const dotColour = (target, colours) => (state.task === "regression" ? `rgb(${colouring(1)(target).map(Math.round)})` : colours[target]);

function drawMap() {
  const { c, width } = canvas("map");
  const size = Math.sqrt(state.map.length);
  c.imageSmoothingEnabled = true;
  c.drawImage(image(state.map, size, colouring()), 0, 0, width, width);
  const at = ([x, y]) => [((x + SPAN) / (2 * SPAN)) * width, ((SPAN - y) / (2 * SPAN)) * width];
  const colours = palette();
  const ink = css("--ink");
  const dot = (point, target, r, hollow) => {
    c.beginPath();
    c.arc(...at(point), r, 0, 7);
    c.fillStyle = dotColour(target, colours);
    c.fill();
    c.lineWidth = hollow ? 1.6 : 0.9;
    c.strokeStyle = hollow || state.task === "regression" ? ink : css("--card");
    c.stroke();
  };
  if ($("held-points").checked) state.held_points.forEach((p, i) => dot(p, state.held_targets[i], 3.6, true));
  if ($("arrows").checked) {
    const lengths = state.slopes.map(([a, b]) => Math.hypot(a, b));
    const most = Math.max(1e-9, [...lengths].sort((a, b) => a - b)[Math.floor(lengths.length * 0.95)]);
    c.strokeStyle = c.fillStyle = ink;
    c.lineWidth = 1.1;
    state.slopes.forEach(([a, b], i) => {
      const length = Math.min(1, lengths[i] / most) * 0.05 * width;
      if (length < 1.5) return;
      const [x, y] = at(state.points[i]);
      const [dx, dy] = [(-a / lengths[i]) * length, (b / lengths[i]) * length]; // downhill
      c.beginPath();
      c.moveTo(x, y);
      c.lineTo(x + dx, y + dy);
      c.stroke();
      c.beginPath();
      c.moveTo(x + dx * 1.2, y + dy * 1.2);
      c.lineTo(x + dx - dy * 0.22, y + dy + dx * 0.22);
      c.lineTo(x + dx + dy * 0.22, y + dy - dx * 0.22);
      c.fill();
    });
  }
  state.points.forEach((p, i) => dot(p, state.targets[i], 3.6, false));
  $("legend").textContent = $("arrows").checked ? "Arrows: where each point would go to lower its own loss." : "";
}

/** Axes of a chart: scales, lines and labels. */
function axes(id, xs, ys, { log = false, left = 44, label = "" } = {}) {
  const { c, width, height } = canvas(id);
  const box = { x: left, y: 8, w: width - left - 8, h: height - 30 };
  const f = log ? (v) => Math.log10(Math.max(v, 1e-9)) : (v) => v;
  const [x0, x1] = [Math.min(...xs), Math.max(...xs)];
  let [y0, y1] = [Math.min(...ys.map(f)), Math.max(...ys.map(f))];
  if (y1 - y0 < 1e-9) [y0, y1] = [y0 - 0.5, y1 + 0.5];
  const x = (v) => box.x + ((v - x0) / (x1 - x0 || 1)) * box.w;
  const y = (v) => box.y + box.h - ((f(v) - y0) / (y1 - y0)) * box.h;
  c.strokeStyle = css("--line");
  c.fillStyle = css("--soft");
  c.lineWidth = 1;
  c.textAlign = "right";
  for (let i = 0; i <= 3; i++) {
    const v = y0 + ((y1 - y0) * i) / 3;
    const at = box.y + box.h - (box.h * i) / 3;
    c.beginPath();
    c.moveTo(box.x, at);
    c.lineTo(box.x + box.w, at);
    c.stroke();
    c.fillText(digits(log ? 10 ** v : Math.abs(v) < 1e-9 ? 0 : v), box.x - 5, at + 4);
  }
  c.textAlign = "center";
  for (let i = 0; i <= 4; i++) {
    const v = x0 + ((x1 - x0) * i) / 4;
    c.textAlign = i === 4 ? "right" : i ? "center" : "left";
    c.fillText(Number.isInteger(v) ? v : v.toFixed(x1 - x0 > 20 ? 0 : 1), x(v), box.y + box.h + 14);
  }
  c.textAlign = "right";
  c.fillText(label, box.x + box.w, box.y + 10);
  const line = (points, colour, dash = []) => {
    c.strokeStyle = colour;
    c.lineWidth = 1.8;
    c.setLineDash(dash);
    c.beginPath();
    points.forEach(([a, b], i) => c[i ? "lineTo" : "moveTo"](x(a), y(b)));
    c.stroke();
    c.setLineDash([]);
  };
  return { c, x, y, line, box };
}

function key(c, box, entries) {
  c.textAlign = "left";
  let at = box.x + 8;
  for (const [text, colour] of entries) {
    c.fillStyle = colour;
    c.fillText(text, at, box.y + 10);
    at += c.measureText(text).width + 14;
  }
}

function drawHistory() {
  const rows = state.history.filter((row) => row[1] !== null);
  if (!rows.length) return;
  const colours = palette();
  const values = rows.flatMap((row) => [row[1], row[2]]);
  const log = $("log").checked && Math.min(...values) > 0;
  const { c, line, box } = axes("history", [0, Math.max(20, rows.at(-1)[0])], log ? values : [0, ...values], { log });
  line(rows.map((row) => [row[0], row[2]]), colours[1], [5, 3]);
  line(rows.map((row) => [row[0], row[1]]), colours[0]);
  key(c, { ...box, x: box.x + box.w - 150 }, [["training", colours[0]], ["held out", colours[1]]]);
}

function drawCurve() {
  const { z, targets } = state.curve;
  const names = Object.keys(targets);
  const colours = palette();
  const all = names.flatMap((name) => [...targets[name].loss, ...targets[name].slope]);
  const most = Math.min(Math.max(...all), 8);
  const { c, x, y, line, box } = axes("curve", z, [Math.max(Math.min(...all), -4), most].concat([0]), {});
  const clip = (v) => Math.max(-4, Math.min(most, v));
  const words = { 0: "target 0", 1: "target 1", error: "loss", right: "loss" };
  names.forEach((name, i) => {
    const colour = names.length > 1 ? colours[i] : colours[0];
    line(z.map((v, j) => [v, clip(targets[name].loss[j])]), colour);
    line(z.map((v, j) => [v, clip(targets[name].slope[j])]), names.length > 1 ? colour : colours[1], [4, 3]);
  });
  key(c, { ...box, x: box.x + box.w * 0.36 }, [...names.map((name, i) => [words[name] ?? name, colours[i]]), [names.length > 1 ? "dashed: slope" : "slope", names.length > 1 ? css("--soft") : colours[1]]]);
  $("curve-title").textContent = { regression: "The loss of one sample over prediction − target", binary: "The loss of one sample over its logit",
    classes: "The loss of one sample over the right class's logit" }[state.task];
  const place = (output, target) => (state.task === "binary" ? output[0] : state.task === "regression" ? output[0] - target
    : output[target] - Math.max(...output.filter((_, k) => k !== target)));
  state.outputs.forEach((output, i) => {
    const at = place(output, state.targets[i]);
    const name = state.task === "binary" ? String(state.targets[i]) : names[0];
    const j = Math.round(((at - z[0]) / (z.at(-1) - z[0])) * (z.length - 1));
    if (j < 0 || j >= z.length) return;
    c.beginPath();
    c.arc(x(at), y(clip(targets[name].loss[j])), 2.6, 0, 7);
    c.fillStyle = state.task === "regression" ? css("--soft") : colours[state.targets[i]];
    c.globalAlpha = 0.55;
    c.fill();
    c.globalAlpha = 1;
  });
}

function drawFlow() {
  const { c, width, height } = canvas("flow");
  const norms = state.layers.map((layer) => layer.norm ?? 0);
  const most = Math.max(1e-12, ...norms);
  const row = Math.min(22, (height - 8) / norms.length);
  norms.forEach((norm, i) => {
    const y = 4 + i * row;
    c.fillStyle = css("--soft");
    c.textAlign = "left";
    c.fillText(`layer ${i + 1}`, 2, y + row * 0.65);
    c.fillStyle = css("--accent");
    c.fillRect(54, y + 2, Math.max(1, (norm / most) * (width - 124)), row - 5);
    c.fillStyle = css("--ink");
    c.fillText(digits(norm), 60 + (norm / most) * (width - 124), y + row * 0.65);
  });
}

function drawNetwork() {
  const { c, width, height } = canvas("network");
  const columns = state.units.length;
  const unit = Math.min(26, (height - 24) / Math.max(...state.units.map((layer) => layer.length)) - 3);
  const colours = palette().map(rgb);
  const card = rgb(css("--card"));
  const place = (column, i) => {
    const count = state.units[column].length;
    return [40 + ((width - 100) * column) / Math.max(1, columns - 1), height / 2 + 6 + (i - (count - 1) / 2) * (unit + 3)];
  };
  const gradients = $("show-grads").checked;
  state.layers.forEach((layer, l) => {
    const weights = gradients ? layer.weight_grad : layer.weight;
    if (!weights) return;
    const most = Math.max(1e-9, ...weights.flat().map(Math.abs));
    weights.forEach((row, j) => row.forEach((w, i) => {
      const [x0, y0] = place(l, i);
      const [x1, y1] = place(l + 1, j);
      c.strokeStyle = `rgb(${colours[w > 0 ? 1 : 0]})`;
      c.globalAlpha = 0.12 + 0.8 * (Math.abs(w) / most);
      c.lineWidth = 0.4 + 3.2 * (Math.abs(w) / most);
      c.beginPath();
      c.moveTo(x0 + unit / 2, y0);
      c.bezierCurveTo((x0 + x1) / 2, y0, (x0 + x1) / 2, y1, x1 - unit / 2, y1);
      c.stroke();
    }));
  });
  c.globalAlpha = 1;
  const size = Math.sqrt(state.units[0][0].length);
  state.units.forEach((layer, column) => layer.forEach((values, i) => {
    const [x, y] = place(column, i);
    c.drawImage(image(values, size, (v) => mixed(card, colours[v > 0 ? 1 : 0], Math.min(1, Math.abs(v) / 100) * 0.85)), x - unit / 2, y - unit / 2, unit, unit);
    c.strokeStyle = css("--soft");
    c.lineWidth = 0.8;
    c.strokeRect(x - unit / 2, y - unit / 2, unit, unit);
  }));
  c.fillStyle = css("--soft");
  c.textAlign = "center";
  state.units.forEach((layer, column) => c.fillText(column === 0 ? "x₁, x₂" : column === columns - 1 ? "output" : `layer ${column}`, place(column, 0)[0], 12));
}

prepare();
