// What the browser tests ask of a page.

const all = (selector, within = document) => [...within.querySelectorAll(selector)];

/** What the panel shows: step, role, the numbers of the cells, their texts. */
function entries() {
  const cells = ":scope > .scalar, :scope > .scroller td[data-v], .slices td[data-v]";
  return all("#panel .entry[data-step]").map((entry) => {
    const found = all(cells, entry);
    return [Number(entry.dataset.step), entry.dataset.role, found.map((c) => c.dataset.v), found.map((c) => c.textContent)];
  });
}

const ids = (selector) => all(selector).map((node) => node.id);
const order = () => all(".samples tbody tr").map((row) => Number(row.dataset.row));

/** Pairs of cards that overlap, cards and frames outside of the picture, and paths that are none. */
function misplaced() {
  const box = (node) => node.getBoundingClientRect();
  const cards = all("#graph .node .card");
  const apart = (p, q) => p.right <= q.left || q.right <= p.left || p.bottom <= q.top || q.bottom <= p.top;
  const pairs = cards.flatMap((a, i) => cards.slice(0, i).filter((b) => !apart(box(a), box(b))));
  const whole = box(document.querySelector("#graph svg"));
  const outside = all("#graph .card, #graph .frame").filter((node) => {
    const { left, right, top, bottom } = box(node);
    return left < whole.left || right > whole.right || top < whole.top || bottom > whole.bottom;
  });
  const broken = all("#graph path").filter((path) => /NaN|undefined/.test(path.getAttribute("d")));
  return pairs.length + outside.length + broken.length;
}

/** The least contrast of a text with what is behind it, and where that is. */
function leastContrast(selector) {
  const canvas = Object.assign(document.createElement("canvas"), { width: 1, height: 1 });
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  const colour = (css, under) => {
    for (const layer of [under, css]) {
      pen.fillStyle = layer;
      pen.fillRect(0, 0, 1, 1);
    }
    return [...pen.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const light = (rgb) => {
    const linear = (v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    const [r, g, b] = rgb.map((v) => linear(v / 255));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (node) => {
    let css = "#fff";
    const list = [];
    for (let n = node; n; n = n.parentElement) list.unshift(getComputedStyle(n).backgroundColor);
    for (const next of list) css = `rgb(${colour(next, css).join()})`;
    return css;
  };
  let worst = [21, ""];
  for (const node of all(selector)) {
    if (!node.textContent.trim() || !node.getClientRects().length || node.disabled) continue;
    const back = behind(node);
    const [a, b] = [light(colour(getComputedStyle(node).color, back)), light(colour(back, back))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < worst[0]) worst = [ratio, node.outerHTML.slice(0, 120)];
  }
  return worst;
}

/** Controls without a name. */
const nameless = () => all("button, [role=button], select, input")
  .filter((node) => !(node.getAttribute("aria-label") || node.textContent.trim() || node.labels?.length))
  .map((node) => node.outerHTML);
