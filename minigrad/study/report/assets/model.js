// What of the trace is visible while some groups are folded, and the frames one steps through.

const steps = DATA.steps;
const groups = DATA.groups;
for (const { operands, rules } of steps) {
  for (const rule of rules) if (rule.flow === "gradient") rule.flow = steps[operands[rule.place]].gradient;
}
const open = new Set(Object.keys(groups).filter((key) => !DATA.folded.includes(key)));

/** The node that stands for a step: the outermost folded group around it, else itself. */
function nodeOf(step) {
  const folded = step.group.find((key) => !open.has(key));
  return folded === undefined ? `s${step.index}` : `g${folded}`;
}

/** Nodes, edges and the tree of groups, as they are visible now. */
function visible() {
  const nodes = new Map();
  const roots = [];
  const frames = new Map();
  for (const step of steps) {
    let siblings = roots;
    const shown = step.group.findIndex((key) => !open.has(key));
    for (const key of shown < 0 ? step.group : step.group.slice(0, shown)) {
      const id = `g${key}`;
      if (!frames.has(id)) {
        const item = { id, w: groups[key].label.length * 7 + 60, order: step.index, children: [], key };
        frames.set(id, item);
        siblings.push(item);
      }
      const item = frames.get(id);
      if (step.kind !== "input") item.order = step.index;
      siblings = item.children;
    }
    const id = nodeOf(step);
    let node = nodes.get(id);
    if (!node) {
      node = { id, steps: [], key: id[0] === "g" ? id.slice(1) : null, inputs: new Set(), users: new Set() };
      nodes.set(id, node);
      const item = { id, w: WIDTH, h: HEIGHT, order: step.index };
      siblings.push(item);
      node.item = item;
    }
    node.steps.push(step);
    if (step.kind !== "input") node.item.order = step.index;
  }
  for (const node of nodes.values()) {
    node.given = node.steps.every((step) => step.kind === "input");
    node.order = Math.max(...node.steps.filter((p) => node.given || p.kind !== "input").map((p) => p.index));
    node.item.given = node.given;
    node.step = node.steps[0];
    if (node.key !== null) node.step = outputs(node).findLast((step) => step.gradient) ?? steps[groups[node.key].result ?? node.order];
  }
  const edges = new Map();
  for (const step of steps) {
    step.operands.forEach((operand, place) => {
      if (typeof operand !== "number") return;
      const [a, b] = [nodeOf(steps[operand]), nodeOf(step)];
      if (a === b) return;
      const key = `${a}>${b}`;
      const edge = edges.get(key) ?? { key, a, b, uses: [] };
      edge.uses.push({ user: step.index, place, operand });
      edges.set(key, edge);
      nodes.get(a).users.add(b);
      nodes.get(b).inputs.add(a);
    });
  }
  for (const edge of edges.values()) {
    edge.gradient = edge.uses.some(({ user, place }) => flowOf(user, place) !== undefined);
  }
  return { nodes, edges, roots };
}

/** What flows back along an operand: its rule, or undefined where nothing does. */
const flowOf = (user, place) =>
  steps[user].gradient ? steps[user].rules.find((rule) => rule.place === place) : undefined;

/** All the places where a value is used and gets a gradient from. */
function sources(index) {
  const found = [];
  for (const step of steps) {
    step.operands.forEach((operand, place) => {
      if (operand === index && flowOf(step.index, place)) found.push({ user: step.index, place });
    });
  }
  return found;
}

/** The values of a node that others use, or that are the result. */
function outputs(node) {
  const inside = new Set(node.steps.map((step) => step.index));
  const used = new Set([DATA.result]);
  for (const step of steps) {
    if (!inside.has(step.index)) step.operands.forEach((o) => typeof o === "number" && used.add(o));
  }
  return node.steps.filter((step) => used.has(step.index) && (step.kind !== "input" || node.given));
}

/** The values a node takes: earlier steps outside of it. */
function takes(node) {
  const inside = new Set(node.steps.map((step) => step.index));
  const found = [];
  for (const step of node.steps) {
    step.operands.forEach((operand, place) => {
      if (typeof operand === "number" && inside.has(operand)) return;
      const value = typeof operand === "number" ? operand : null;
      let entry = value === null ? null : found.find((e) => e.operand === value);
      if (!entry) found.push(entry = { operand: value, number: operand.number, uses: [] });
      entry.uses.push({ user: step.index, place });
    });
  }
  return node.key === null ? found : found.filter((entry) => entry.operand !== null);
}

/** The frames: what is given, each operation forward, the seed, each operation backward, the end. */
function framesOf(graph) {
  const run = [...graph.nodes.values()].filter((node) => !node.given).sort((a, b) => a.order - b.order);
  const frames = [{ phase: "given" }, ...run.map((node) => ({ phase: "forward", node }))];
  const back = run.filter((node) => node.steps.some((step) => step.gradient && step.kind !== "input")).reverse();
  if (back.length) {
    frames.push({ phase: "seed", node: graph.nodes.get(nodeOf(steps[DATA.result])) });
    back.forEach((node) => frames.push({ phase: "backward", node }));
    frames.push({ phase: "end" });
  }
  frames.forEach((frame, i) => { frame.index = i; });
  const count = { forward: run.length, backward: back.length };
  let n = { forward: 0, backward: 0 };
  for (const frame of frames) {
    if (frame.phase in count) Object.assign(frame, { number: ++n[frame.phase], of: count[frame.phase] });
  }
  return frames;
}

/** When the gradient of a step is complete: the frame after which all its uses have sent theirs. */
function completion(graph, frames) {
  const when = new Map();
  const backwardAt = new Map();
  frames.forEach((frame) => { if (frame.phase === "backward") backwardAt.set(frame.node.id, frame.index); });
  const seed = frames.find((frame) => frame.phase === "seed")?.index ?? Infinity;
  for (const step of steps) {
    const from = sources(step.index).map(({ user }) => backwardAt.get(nodeOf(steps[user])) ?? Infinity);
    const first = from.length ? Math.min(...from) : Infinity;
    when.set(step.index, step.index === DATA.result ? { first: seed, last: seed }
      : { first, last: from.length ? Math.max(...from) : Infinity, from });
  }
  return when;
}

const labelOf = (step) => step.name || step.op || `v${step.index}`;
const titleOf = (node) => (node.key !== null ? groups[node.key].label : node.given ? labelOf(node.step) : node.step.op);
