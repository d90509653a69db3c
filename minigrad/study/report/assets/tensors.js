// Numbers, tables of numbers and heat maps.

const SVG = "http://www.w3.org/2000/svg";

/** An element with attributes and children; text is never read as markup. */
function h(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.flat(3).filter((child) => child !== null && child !== undefined && child !== false));
  return made;
}

function s(tag, attributes = {}, ...children) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined) made.setAttribute(name, value);
  }
  made.append(...children.flat(3).filter((child) => child !== null && child !== undefined));
  return made;
}

/** A formula, whose markup was made with the page. */
function formula(markup, text) {
  const made = h("span", { class: "formula", title: text || null });
  made.innerHTML = markup;
  return made;
}

function T(key, values = {}) {
  const sentence = DATA.words[key] ?? key;
  return sentence.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
}

const NOT_FINITE = { nan: NaN, inf: Infinity, "-inf": -Infinity };
const plain = (x) => (typeof x === "string" ? NOT_FINITE[x] : x);
const signed = (text) => text.replace("-", "−").replace("e-", "e−").replace("e+", "e");

/** A function that writes numbers with as many digits as these need together. */
function writer(values) {
  const finite = values.map(plain).filter((x) => Number.isFinite(x) && x !== 0);
  const largest = Math.max(0, ...finite.map(Math.abs));
  const whole = finite.every(Number.isInteger) && largest < 1e7;
  const digits = [1000, 100, 10, 0.1, 0.01].findIndex((least) => largest >= least) + 1 || 6;
  const scientific = !whole && largest > 0 && (largest >= 1e5 || largest < 1e-3);
  return (given) => {
    const x = plain(given);
    if (x === null || x === undefined) return "·";
    if (Number.isNaN(x)) return "nan";
    if (!Number.isFinite(x)) return x > 0 ? "inf" : "−inf";
    if (whole) return signed(String(x));
    if (x === 0) return "0";
    if (scientific || Math.abs(x) < 0.5 * 10 ** -digits) return signed(x.toExponential(scientific ? 3 : 1));
    return signed(x.toFixed(digits));
  };
}

const write = (x) => writer([x])(x);
/** A sentence with elements in the places of its braces. */
function rich(key, values) {
  return T(key, Object.fromEntries(Object.keys(values).map((name) => [name, `\u0000${name}\u0000`])))
    .split("\u0000").map((part, i) => (i % 2 ? values[part] : part));
}

const shapeText = (shape) => (shape.length ? `[${shape.join(", ")}]` : T("scalar"));

/** The colour of a number beside others: its sign, and how far it is from zero, 0 to 1. */
function heat(x, largest) {
  x = plain(x);
  if (x === null || x === undefined) return { class: "none" };
  if (!Number.isFinite(x)) return { class: "bad" };
  const t = largest > 0 ? Math.min(1, Math.abs(x) / largest) : 0;
  return { class: x < 0 ? "neg" : "pos", style: `--t:${Math.round(t ** 0.65 * 100)}%` };
}

const largestOf = (values) =>
  Math.max(0, ...values.map(plain).filter((x) => Number.isFinite(x)).map(Math.abs));

const coloured = (packed) => !/^u?int/.test(packed.dtype);

function cell(tag, x, index, text, largest, colour) {
  const mark = colour ? heat(x, largest) : { class: "flat" };
  return h(tag, { ...mark, "data-i": index, "data-v": String(x) }, text);
}

/** Rows of numbers as a table with indices, coloured as a heat map. */
function numberTable(rows, packed, start, all) {
  const text = writer(all);
  const largest = largestOf(all);
  const columns = rows[0]?.length ?? 0;
  const wide = packed.shape.length > 0;
  let index = start;
  const logical = packed.dtype === "bool";
  return h(
    "table",
    { class: "numbers", "data-shape": packed.shape.join("x") },
    wide && h("thead", {}, h("tr", {},
      packed.shape.length > 1 && h("td", { class: "corner" }),
      Array.from({ length: columns }, (_, j) => h("th", { scope: "col" }, j)))),
    h("tbody", {}, rows.map((row, i) => h("tr", {},
      packed.shape.length > 1 && h("th", { scope: "row" }, i),
      row.map((x) => cell("td", x, index++, logical ? (x ? T("true") : T("false")) : text(x), largest,
        coloured(packed)))))),
  );
}

function chunks(list, size) {
  const found = [];
  for (let i = 0; i < list.length; i += size) found.push(list.slice(i, i + size));
  return found;
}

/** An array: a number, a table, tables of its slices, or the summary of a large one. */
function tensorView(packed, missing) {
  if (!packed) return h("p", { class: "missing" }, missing || T("not kept"));
  const { shape } = packed;
  if (packed.all && !packed.all.length) return h("p", { class: "missing" }, T("empty"));
  if (packed.all && !shape.length) {
    const text = packed.dtype === "bool" ? T(packed.all[0] ? "true" : "false") : write(packed.all[0]);
    return h("output", { class: "scalar", "data-v": String(packed.all[0]) }, text);
  }
  if (!packed.all) return summaryView(packed);
  const columns = shape[shape.length - 1];
  if (shape.length < 3) return scroller(numberTable(chunks(packed.all, columns), packed, 0, packed.all));
  const size = columns * shape[shape.length - 2];
  return h("div", { class: "slices" }, chunks(packed.all, size).map((slice, n) => h("figure", {},
    h("figcaption", {}, `[${sliceIndex(n, shape.slice(0, -2)).join(", ")}]`),
    scroller(numberTable(chunks(slice, columns), packed, n * size, packed.all)))));
}

function sliceIndex(n, shape) {
  const found = [];
  for (const size of [...shape].reverse()) {
    found.unshift(n % size);
    n = Math.floor(n / size);
  }
  return found;
}

const scroller = (table) => h("div", { class: "scroller" }, table);

function summaryView(packed) {
  const { blocks, first, shape } = packed;
  const facts = ["min", "mean", "max"].filter((name) => name in packed);
  const bad = packed.nonfinite ? h("span", { class: "warn" }, T("not finite", { n: packed.nonfinite })) : null;
  const rows = shape.length > 1 ? shape.slice(0, -1).reduce((a, b) => a * b, 1) : 1;
  const heading = T(shape.length > 1 ? "first rows" : "first elements", {
    rows: first.length, of: rows, columns: first[0].length, all: shape[shape.length - 1],
  });
  return h("div", { class: "summary" },
    h("dl", { class: "extremes" }, facts.map((name) => h("div", {}, h("dt", {}, T(name)),
      h("dd", { "data-v": String(packed[name]) }, write(packed[name]))))), bad,
    blockMap(blocks, shape.length < 2),
    h("details", {}, h("summary", {}, heading),
      scroller(numberTable(first, packed, 0, first.flat()))));
}

function blockMap(blocks, folded) {
  const largest = largestOf(blocks.mean);
  const [rows, columns] = blocks.of;
  const parts = [rows * columns === 1 ? T("each cell") : T("each block", { rows, columns }), folded ? T("row by row") : ""];
  const label = parts.filter(Boolean).join(", ");
  return h("figure", { class: "blocks" },
    h("div", { class: "map", role: "img", "aria-label": label,
      style: `--columns:${blocks.columns};--rows:${blocks.rows}` },
    blocks.mean.map((x) => h("i", heat(x, largest)))),
    h("figcaption", {}, label));
}

/** A small heat map inside a rectangle of the graph; one number is written out. */
function thumbnail(packed, x, y, width, height) {
  if (!packed) return null;
  if (packed.all?.length === 1) {
    const text = packed.dtype === "bool" ? T(packed.all[0] ? "true" : "false") : write(packed.all[0]);
    return s("text", { x: x + width / 2, y: y + height / 2 + 4, class: "figure" }, text);
  }
  const { rows, columns, values } = coarse(packed, 16, 10);
  const size = Math.min(width / columns, height / rows, 14);
  const across = Math.min(width / columns, size * 2.2);
  const left = x + (width - across * columns) / 2;
  const top = y + (height - size * rows) / 2;
  const largest = largestOf(values);
  const gap = size > 5 ? 1 : 0.3;
  return values.map((v, i) => s("rect", {
    x: (left + (i % columns) * across).toFixed(2), y: (top + Math.floor(i / columns) * size).toFixed(2),
    width: (across - gap).toFixed(2), height: (size - gap).toFixed(2), rx: size > 8 ? 2 : 0.5,
    ...(coloured(packed) || v === null ? heat(v, largest) : { class: "count", style: heat(v, largest).style }),
  }));
}

/** At most so many rows and columns of means. */
function coarse(packed, mostColumns, mostRows) {
  const last = packed.shape[packed.shape.length - 1] ?? 1;
  let columns = packed.all ? last : packed.blocks.columns;
  let values = (packed.all ?? packed.blocks.mean).map(plain);
  if (packed.all && packed.shape.length === 1 && columns > mostColumns) columns = Math.ceil(Math.sqrt(columns) * 1.5);
  const rows = Math.ceil(values.length / columns);
  const height = Math.ceil(rows / mostRows);
  const width = Math.ceil(columns / mostColumns);
  if (height === 1 && width === 1) {
    values = values.concat(Array(rows * columns - values.length).fill(null));
    return { rows, columns, values };
  }
  const shape = { rows: Math.ceil(rows / height), columns: Math.ceil(columns / width), values: [] };
  for (let i = 0; i < shape.rows; i++) {
    for (let j = 0; j < shape.columns; j++) {
      let sum = 0;
      let count = 0;
      for (let a = i * height; a < Math.min(rows, (i + 1) * height); a++) {
        for (let b = j * width; b < Math.min(columns, (j + 1) * width); b++) {
          const x = values[a * columns + b];
          if (x === null || x === undefined) continue;
          sum += x;
          count++;
        }
      }
      shape.values.push(count ? sum / count : null);
    }
  }
  return shape;
}
