// Places nodes in layers, operands above results. A group that is open is laid out by itself and is then one
// large node of what holds it; edges that enter or leave it do so through ports on its border.

const GAP = { x: 18, y: 34, lane: 12, pad: 16, head: 30 };

/**
 * items: [{ id, w, h, order, children? }], where `children` makes it a group; edges: [[from id, to id]].
 * Gives { width, height, boxes: Map id -> {x, y, w, h}, paths: Map "from>to" -> [[x, y], ...] }.
 */
function layoutGraph(items, edges) {
  const home = new Map();
  const note = (list, path) => list.forEach((item) => {
    home.set(item.id, path);
    if (item.children) note(item.children, [...path, item.id]);
  });
  note(items, []);
  const found = layoutLevel(items, edges.map(([a, b]) => ({ key: `${a}>${b}`, a, b })), home, 0);
  return found;
}

/** Lays out one level; edges whose end is null come in from above or leave below. */
function layoutLevel(items, edges, home, depth) {
  const own = (id) => (id === null ? null : home.get(id)[depth] ?? id);
  const inside = new Map(items.map((item) => [item.id, []]));
  const level = [];
  for (const edge of edges) {
    const a = edge.a === null ? null : own(edge.a);
    const b = edge.b === null ? null : own(edge.b);
    if (a !== null && a === b) inside.get(a).push(edge);
    else level.push({ ...edge, from: a, to: b });
  }
  const nodes = new Map(items.map((item) => [item.id, {
    id: item.id, w: item.w, h: item.h, order: item.order, item,
  }]));
  for (const item of items.filter((i) => i.children)) {
    const through = [...inside.get(item.id)];
    for (const edge of level) {
      if (edge.from === item.id) through.push({ key: edge.key, a: edge.a, b: null });
      if (edge.to === item.id) through.push({ key: edge.key, a: null, b: edge.b });
    }
    const laid = layoutLevel(item.children, through, home, depth + 1);
    Object.assign(nodes.get(item.id), {
      laid, w: Math.max(laid.width + 2 * GAP.pad, item.w), h: laid.height + GAP.head + GAP.pad,
    });
  }
  return place(nodes, level);
}

function place(nodes, edges) {
  // Ports: where edges of the outside enter and leave.
  const spans = edges.map((edge, i) => {
    const from = edge.from ?? `in:${edge.a ?? edge.key.split(">")[0]}`;
    const to = edge.to ?? `out:${edge.key.split(">")[0]}:${i}`;
    if (edge.from === null && !nodes.has(from)) nodes.set(from, { id: from, w: GAP.lane, h: 0, order: -1, port: true });
    if (edge.to === null) nodes.set(to, { id: to, w: GAP.lane, h: 0, order: 1e9, port: true });
    return { edge, from, to };
  });
  const layers = layered(nodes, spans);
  const chains = spans.map((span) => chain(span, nodes, layers));
  const rows = ordered(nodes, chains, layers);
  spread(rows, chains, nodes);
  return measured(nodes, rows, chains);
}

/** The layer of each node: below all its operands; what is only given stands just above its first use. */
function layered(nodes, spans) {
  const after = new Map([...nodes.keys()].map((id) => [id, []]));
  const seen = new Set();
  for (const span of spans) {
    const back = nodes.get(span.from).order > nodes.get(span.to).order && !nodes.get(span.to).port;
    span.back = back || span.from === span.to;
    const key = `${span.from}>${span.to}`;
    if (!span.back && !seen.has(key)) after.get(span.from).push(span.to);
    seen.add(key);
  }
  const waiting = new Map([...nodes.keys()].map((id) => [id, 0]));
  after.forEach((list) => list.forEach((id) => waiting.set(id, waiting.get(id) + 1)));
  const layer = new Map([...nodes.keys()].map((id) => [id, 0]));
  const ready = [...nodes.keys()].filter((id) => !waiting.get(id));
  const sorted = [];
  while (ready.length) {
    const id = ready.shift();
    sorted.push(id);
    for (const next of after.get(id)) {
      layer.set(next, Math.max(layer.get(next), layer.get(id) + 1));
      waiting.set(next, waiting.get(next) - 1);
      if (!waiting.get(next)) ready.push(next);
    }
  }
  const fed = new Set(spans.filter((span) => !span.back).map((span) => span.to));
  for (const id of sorted.reverse()) {
    const node = nodes.get(id);
    const uses = after.get(id);
    if (!node.port && !fed.has(id) && uses.length) layer.set(id, Math.min(...uses.map((u) => layer.get(u))) - 1);
  }
  const last = Math.max(0, ...layer.values());
  nodes.forEach((node) => {
    if (node.port) layer.set(node.id, node.order < 0 ? -1 : last + 1);
  });
  const lowest = Math.min(...layer.values());
  if (lowest) layer.forEach((n, id) => layer.set(id, n - lowest));
  return layer;
}

/** The nodes an edge passes: its ends, and lanes in the layers between them. */
function chain(span, nodes, layers) {
  const path = [span.from];
  const step = layers.get(span.from) <= layers.get(span.to) ? 1 : -1;
  for (let n = layers.get(span.from) + step; n !== layers.get(span.to) && !span.back; n += step) {
    const id = `lane:${span.from}:${span.edge.key.split(">")[0]}:${n}`; // shared by all uses of a value
    if (!nodes.has(id)) nodes.set(id, { id, w: GAP.lane, h: 0, order: nodes.get(span.from).order, lane: true });
    layers.set(id, n);
    path.push(id);
  }
  path.push(span.to);
  return { ...span, path };
}

/** The nodes of each layer from left to right, with few crossings. */
function ordered(nodes, chains, layers) {
  const rows = [];
  [...nodes.values()].sort((p, q) => p.order - q.order)
    .forEach((node) => (rows[layers.get(node.id)] ??= []).push(node.id));
  for (let i = 0; i < rows.length; i++) rows[i] ??= [];
  const up = new Map();
  const down = new Map();
  const joined = new Set();
  for (const { path, edge, back } of chains) {
    if (back) continue;
    for (let i = 1; i < path.length; i++) {
      const [a, b] = [path[i - 1], path[i]];
      const aside = (id, top) => offset(nodes.get(id), edge, top) / nodes.get(id).w; // where on an open group
      const key = `${a} ${b} ${aside(a, false)} ${aside(b, true)}`;
      if (joined.has(key)) continue;
      joined.add(key);
      (up.get(b) ?? up.set(b, []).get(b)).push({ id: a, aside: aside(a, false) });
      (down.get(a) ?? down.set(a, []).get(a)).push({ id: b, aside: aside(b, true) });
    }
  }
  const at = new Map();
  const number = () => rows.forEach((row) => row.forEach((id, i) => at.set(id, i)));
  number();
  let best = rows.map((row) => [...row]);
  let least = crossings(rows, down, at);
  for (let round = 0; round < 12 && least; round++) {
    const near = round % 2 ? down : up;
    for (const row of round % 2 ? [...rows].reverse() : rows) {
      const want = new Map(row.map((id, i) => {
        const places = (near.get(id) ?? []).map((other) => at.get(other.id) + other.aside);
        return [id, places.length ? places.reduce((p, q) => p + q, 0) / places.length : i];
      }));
      row.sort((p, q) => want.get(p) - want.get(q) || at.get(p) - at.get(q));
      row.forEach((id, i) => at.set(id, i));
    }
    const count = crossings(rows, down, at);
    if (count < least) {
      least = count;
      best = rows.map((row) => [...row]);
    }
  }
  return best;
}

function crossings(rows, down, at) {
  let count = 0;
  for (const row of rows) {
    const ends = row.flatMap((id) => (down.get(id) ?? []).map((other) => at.get(other.id) + other.aside).sort((p, q) => p - q));
    for (let i = 0; i < ends.length; i++) {
      for (let j = 0; j < i; j++) count += ends[j] > ends[i];
    }
  }
  return count;
}

/** Where on a node's width an edge ends: the middle, or the port of an open group. */
function offset(node, edge, top) {
  if (!node.laid) return 0;
  const points = node.laid.paths.get(edge.key);
  if (!points) return 0;
  const [x] = top ? points[0] : points[points.length - 1];
  return GAP.pad + (node.w - 2 * GAP.pad - node.laid.width) / 2 + x - node.w / 2;
}

/** The middles of nodes: near those they are joined to, in order, never closer than the gap. */
function spread(rows, chains, nodes) {
  const links = new Map([...nodes.keys()].map((id) => [id, { up: [], down: [] }]));
  for (const { path, edge, back } of chains) {
    if (back) continue;
    for (let i = 1; i < path.length; i++) {
      const [a, b] = [nodes.get(path[i - 1]), nodes.get(path[i])];
      if (a.lane && b.lane && links.get(b.id).up.length) continue; // joined by another use
      const shift = offset(a, edge, false) - offset(b, edge, true);
      const narrow = [a, b].filter((node) => node.lane || node.port).length;
      const weight = [3, 0.6, 12][narrow]; // long edges are straight, and bend where they end
      // What is computed runs straight down; what is given stands aside.
      links.get(b.id).up.push({ id: a.id, shift, weight: a.item?.given ? 0.05 : weight });
      links.get(a.id).down.push({ id: b.id, shift: -shift, weight: a.item?.given ? 0.05 : weight });
    }
  }
  const x = new Map();
  for (const row of rows) {
    let left = 0;
    for (const id of row) {
      x.set(id, left + nodes.get(id).w / 2);
      left += nodes.get(id).w + GAP.x;
    }
  }
  for (let round = 0; round < 29; round++) {
    const sides = round > 21 ? ["up", "down"] : round % 2 ? ["down"] : ["up"];
    for (const row of round % 2 ? [...rows].reverse() : rows) {
      const wants = row.map((id) => {
        const near = sides.flatMap((side) => links.get(id)[side]);
        const weight = near.reduce((sum, link) => sum + link.weight, 0);
        const sum = near.reduce((total, link) => total + link.weight * (x.get(link.id) + link.shift), 0);
        return weight ? { want: sum / weight, weight } : { want: x.get(id), weight: 0.1 };
      });
      settle(row.map((id) => nodes.get(id)), wants).forEach((value, i) => x.set(row[i], value));
    }
  }
  nodes.forEach((node) => { node.x = x.get(node.id); });
}

/** The places closest to those wanted that keep the order and the distances (pool adjacent violators). */
function settle(row, wants) {
  let shift = 0;
  const shifts = row.map((node, i) => {
    if (i) shift += (row[i - 1].w + node.w) / 2 + (row[i - 1].w < 30 && node.w < 30 ? 4 : GAP.x);
    return shift;
  });
  const pools = [];
  wants.forEach(({ want, weight }, i) => {
    pools.push({ sum: (want - shifts[i]) * weight, weight, count: 1 });
    while (pools.length > 1) {
      const [p, q] = pools.slice(-2);
      if (p.sum / p.weight <= q.sum / q.weight) break;
      pools.splice(-2, 2, { sum: p.sum + q.sum, weight: p.weight + q.weight, count: p.count + q.count });
    }
  });
  const base = pools.flatMap((pool) => Array(pool.count).fill(pool.sum / pool.weight));
  return base.map((value, i) => value + shifts[i]);
}

/** Boxes and paths in the level's own coordinates. */
function measured(nodes, rows, chains) {
  const all = [...nodes.values()];
  const left = Math.min(...all.map((node) => node.x - node.w / 2));
  const right = Math.max(...all.map((node) => node.x + node.w / 2));
  let y = 0;
  rows.forEach((row, i) => {
    const height = Math.max(0, ...row.map((id) => nodes.get(id).h));
    row.forEach((id) => {
      const node = nodes.get(id);
      Object.assign(node, { x: node.x - left, top: y, y: node.port ? y : y + (height - node.h), end: y + height });
      if (node.laid || node.lane) node.y = y;
    });
    const border = !height || rows[i + 1]?.every((id) => !nodes.get(id).h);
    y += height + (i + 1 < rows.length ? (border ? GAP.y * 0.35 : GAP.y) : 0);
  });
  const boxes = new Map();
  const paths = new Map();
  const origin = (node) => [node.x - node.w / 2 + GAP.pad + (node.w - 2 * GAP.pad - node.laid.width) / 2, node.y + GAP.head];
  for (const node of all) {
    if (node.lane || node.port) continue;
    boxes.set(node.id, { x: node.x - node.w / 2, y: node.y, w: node.w, h: node.h, open: Boolean(node.laid) });
    if (!node.laid) continue;
    const [dx, dy] = origin(node);
    node.laid.boxes.forEach((box, id) => boxes.set(id, { ...box, x: box.x + dx, y: box.y + dy }));
  }
  const moved = (node, key) => {
    const [dx, dy] = origin(node);
    return (node.laid.paths.get(key) ?? []).map(([px, py]) => [px + dx, py + dy]);
  };
  const own = new Set();
  for (const { path, edge, back } of chains) {
    own.add(edge.key);
    const [a, b] = [nodes.get(path[0]), nodes.get(path[path.length - 1])];
    const points = a.laid ? moved(a, edge.key) : [];
    points.push([a.x + offset(a, edge, false), a.y + a.h]);
    if (!back && a.end > a.y + a.h) points.push([a.x + offset(a, edge, false), a.end]);
    for (const id of path.slice(1, -1)) {
      const lane = nodes.get(id);
      points.push([lane.x, lane.top], [lane.x, lane.end]);
    }
    if (!back && b.y > b.top) points.push([b.x + offset(b, edge, true), b.top]);
    points.push([b.x + offset(b, edge, true), b.y]);
    if (b.laid) points.push(...moved(b, edge.key));
    paths.set(edge.key, points.filter((p, i) => !i || Math.hypot(p[0] - points[i - 1][0], p[1] - points[i - 1][1]) > 0.5));
  }
  for (const node of all.filter((n) => n.laid)) {
    node.laid.paths.forEach((_, key) => {
      if (!own.has(key)) paths.set(key, moved(node, key));
    });
  }
  return { width: right - left, height: y, boxes, paths };
}

/** A path through points: straight where it runs down, curved where it moves aside. */
function drawn(points) {
  let path = `M${points[0].map((v) => v.toFixed(1)).join(" ")}`;
  for (let i = 1; i < points.length; i++) {
    const [[x0, y0], [x1, y1]] = [points[i - 1], points[i]];
    if (Math.abs(x0 - x1) < 0.5) path += `L${x1.toFixed(1)} ${y1.toFixed(1)}`;
    else {
      const middle = ((y0 + y1) / 2).toFixed(1);
      path += `C${x0.toFixed(1)} ${middle} ${x1.toFixed(1)} ${middle} ${x1.toFixed(1)} ${y1.toFixed(1)}`;
    }
  }
  return path;
}
