// The picture: nodes with their values and gradients, edges, groups that fold.

const WIDTH = 172;
const HEIGHT = 92;
const MARGIN = 14;

class Picture {
  constructor(holder, { onpick, onfold }) {
    this.holder = holder;
    this.onpick = onpick;
    this.onfold = onfold;
    this.zoom = null;
    this.still = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.drag();
  }

  /** Draws the graph anew: groups were folded or opened. */
  draw(graph) {
    this.graph = graph;
    const edges = [...graph.edges.values()];
    this.layout = layoutGraph(graph.roots, edges.map((edge) => [edge.a, edge.b]));
    const { width, height, boxes, paths } = this.layout;
    this.size = [width + 2 * MARGIN, height + 2 * MARGIN];
    const drawing = s("g", { transform: `translate(${MARGIN} ${MARGIN})` });
    const frames = [...boxes].filter(([, box]) => box.open);
    drawing.append(...frames.map(([id, box]) => this.frame(id.slice(1), box)));
    this.lines = new Map();
    for (const edge of edges) {
      const path = drawn(paths.get(edge.key));
      const line = s("path", { d: path, id: `edge-${edge.a.slice(1)}-${edge.b.slice(1)}`,
        class: `edge ${edge.gradient ? "" : "constant"}` });
      this.lines.set(edge.key, line);
    }
    drawing.append(s("g", { class: "edges" }, [...this.lines.values()]));
    this.marks = new Map();
    for (const node of graph.nodes.values()) {
      const mark = this.node(node, boxes.get(node.id));
      this.marks.set(node.id, mark);
      drawing.append(mark);
    }
    drawing.append(...frames.map(([id, box]) => this.tab(id.slice(1), box)));
    const arrows = ["", "forward", "backward"].map((name) => s("marker", { id: `arrow${name && "-"}${name}`,
      viewBox: "0 0 8 8", refX: 7, refY: 4, markerWidth: 7, markerHeight: 7, orient: "auto-start-reverse",
      markerUnits: "userSpaceOnUse", class: `arrow ${name}` }, s("path", { d: "M0 0.5L8 4L0 7.5z" })));
    this.svg = s("svg", { viewBox: `0 0 ${this.size[0].toFixed(0)} ${this.size[1].toFixed(0)}`, role: "group",
      "aria-label": T("graph") }, s("defs", {}, arrows), drawing);
    this.holder.replaceChildren(this.svg);
    this.scale(this.zoom ?? this.fitting());
  }

  fitting() {
    return Math.max(0.62, Math.min(1, (this.holder.offsetWidth - 18) / this.size[0]));
  }

  scale(zoom) {
    this.zoom = zoom;
    this.svg.setAttribute("width", Math.round(this.size[0] * zoom));
    this.svg.setAttribute("height", Math.round(this.size[1] * zoom));
  }

  frame(key, box) {
    return s("rect", { x: box.x, y: box.y, width: box.w, height: box.h, rx: 12,
      class: `frame ${groups[key].kind}` });
  }

  /** The label of an open group; it folds it. */
  tab(key, box) {
    const label = groups[key].label;
    return this.button(key, s("g", { transform: `translate(${box.x + 10} ${box.y + 5})`, class: "tab" },
      s("rect", { width: label.length * 6.9 + 26, height: 19, rx: 6 }),
      s("path", { d: "M7 7h8l-4 5z", class: "sign" }),
      s("text", { x: 19, y: 13.5 }, label)), T("fold", { name: label }), true);
  }

  button(key, made, label, expanded) {
    made.setAttribute("role", "button");
    made.setAttribute("tabindex", "0");
    made.setAttribute("aria-label", label);
    made.setAttribute("aria-expanded", String(expanded));
    made.dataset.group = key;
    const act = (event) => {
      event.stopPropagation();
      this.onfold(key);
    };
    made.addEventListener("click", act);
    made.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      act(event);
    });
    made.append(s("title", {}, label));
    return made;
  }

  node(node, box) {
    const { step } = node;
    const kind = node.key !== null ? "folded" : step.kind;
    const group = s("g", { class: `node ${kind}`, transform: `translate(${box.x.toFixed(1)} ${box.y.toFixed(1)})` });
    if (node.key === null) group.id = `step-${step.index}`;
    else group.id = `group-${node.key}`;
    if (kind === "folded") group.append(s("rect", { x: 5, y: 5, width: box.w, height: box.h, rx: 9, class: "behind" }));
    group.append(s("rect", { width: box.w, height: box.h, rx: 9, class: "card" }));
    const title = titleOf(node);
    const shape = step.shape.length ? shapeText(step.shape) : "";
    const beside = (box.w - 28 - shape.length * 7) / 7.8; // letters that fit beside the shape
    const room = node.given ? (box.w - 22) / 7.8 : beside;
    const name = node.given ? T("given") : labelOf(step);
    group.append(
      s("text", { x: 11, y: 19, class: "title" }, shorten(title, room)),
      s("text", { x: box.w - 10, y: node.given ? 33 : 19, class: "shape" }, shape),
      s("text", { x: 11, y: 33, class: "name" }, shorten(name, node.given ? beside + 2 : node.key === null ? 21 : 17)),
      s("title", {}, node.key !== null ? `${title}\n${groups[node.key].words}` : `${title}\n${step.text ? `${labelOf(step)} = ${step.text}` : labelOf(step)}`),
    );
    const half = (box.w - 26) / 2;
    const none = (x) => s("text", { x: x + half / 2, y: 63, class: "nothing" }, "·");
    const value = s("g", { class: "value" }, thumbnail(step.value, 10, 40, half, 36) ?? none(10));
    const gradient = s("g", { class: "gradient" }, thumbnail(step.gradient, 16 + half, 40, half, 36) ?? none(16 + half));
    group.append(s("line", { x1: box.w / 2, x2: box.w / 2, y1: 42, y2: 84, class: "split" }), value, gradient,
      s("text", { x: 10 + half / 2, y: 86, class: "label" }, T("value")),
      s("text", { x: 16 + half * 1.5, y: 86, class: "label" }, step.gradient ? T("gradient") : T("no gradient")));
    group.addEventListener("click", () => this.onpick(node));
    if (node.key !== null) {
      group.append(this.button(node.key, s("g", { transform: `translate(${box.w - 24} 23)`, class: "unfold" },
        s("rect", { width: 18, height: 15, rx: 5 }), s("path", { d: "M6 4v7l6-3.5z", class: "sign" })),
      T("unfold", { name: title, n: node.steps.length }), false));
    }
    return group;
  }

  /** Marks what a frame is about: the node, what flows along which edges, what is known by now. */
  show(frame, frames, when) {
    const { nodes } = this.graph;
    const madeAt = new Map();
    frames.forEach((f) => { if (f.phase === "forward") madeAt.set(f.node.id, f.index); });
    for (const [id, mark] of this.marks) {
      const node = nodes.get(id);
      const made = node.given || (madeAt.get(id) ?? 0) <= frame.index;
      const { first, last } = when.get(node.step.index);
      mark.classList.toggle("waiting", !made);
      mark.classList.toggle("partial", first <= frame.index && last > frame.index);
      mark.classList.toggle("known", last <= frame.index);
      const current = frame.node?.id === id || (frame.phase === "given" && node.given);
      const ended = frame.phase === "end" && node.given && node.step.gradient;
      mark.classList.toggle("current", Boolean(current || ended));
      mark.classList.toggle("backward", ["seed", "backward", "end"].includes(frame.phase));
    }
    const raised = [];
    for (const [key, line] of this.lines) {
      const edge = this.graph.edges.get(key);
      const forward = frame.phase === "forward" && edge.b === frame.node.id;
      const backward = frame.phase === "backward" && edge.b === frame.node.id && edge.gradient;
      const arrives = frame.phase === "backward" && edge.a === frame.node.id && edge.gradient;
      line.classList.toggle("forward", forward);
      line.classList.toggle("backward", backward);
      line.classList.toggle("arrives", arrives);
      if (forward || backward || arrives) raised.push(line);
    }
    raised.forEach((line) => line.parentNode.append(line));
    this.follow(frame);
  }

  /** Scrolls the picture, not the page, to the current node. */
  follow(frame) {
    const box = frame.node && this.layout.boxes.get(frame.node.id);
    const behavior = this.still ? "auto" : "smooth";
    if (!box) {
      this.holder.scrollTo({ top: 0, left: (this.svg.clientWidth - this.holder.clientWidth) / 2, behavior });
      return;
    }
    this.holder.scrollTo({
      left: (box.x + MARGIN + box.w / 2) * this.zoom - this.holder.clientWidth / 2,
      top: (box.y + MARGIN + box.h / 2) * this.zoom - this.holder.clientHeight / 2,
      behavior,
    });
  }

  /** The drawing cut into columns that fit a sheet of paper together; no cut goes through a node. */
  columns(whole) {
    const [width, height] = this.size;
    let count = 1;
    while (count < 5 && (height / count) * (185 / count / width) > 245) count++;
    const boxes = [...this.layout.boxes.values()].filter((box) => !box.open);
    const cuts = [0];
    for (let i = 1; i < count; i++) {
      let y = (height * i) / count;
      const hit = () => boxes.find((box) => box.y + MARGIN - 6 < y && y < box.y + box.h + MARGIN + 10);
      for (let box = hit(); box; box = hit()) y = box.y + MARGIN - 7;
      if (y > cuts[cuts.length - 1]) cuts.push(y);
    }
    cuts.push(height);
    return cuts.slice(1).map((end, i) => {
      const part = whole.cloneNode(true);
      const top = cuts[i];
      part.setAttribute("viewBox", `0 ${top.toFixed(0)} ${width.toFixed(0)} ${(end - top).toFixed(0)}`);
      const across = Math.min(185 / (cuts.length - 1), (245 * width) / Math.max(...cuts.slice(1).map((c, j) => c - cuts[j])), width * 0.26);
      part.setAttribute("width", `${across.toFixed(1)}mm`);
      part.setAttribute("height", `${(((end - top) * across) / width).toFixed(1)}mm`);
      return part;
    });
  }

  /** The mouse drags the picture about; a finger scrolls it anyway. */
  drag() {
    let from = null;
    this.holder.addEventListener("pointerdown", (event) => {
      if (event.pointerType !== "mouse" || event.button) return;
      from = [event.clientX, event.clientY, this.holder.scrollLeft, this.holder.scrollTop];
    });
    window.addEventListener("pointermove", (event) => {
      if (!from) return;
      this.holder.scrollLeft = from[2] + from[0] - event.clientX;
      this.holder.scrollTop = from[3] + from[1] - event.clientY;
      this.holder.classList.toggle("dragged", Math.hypot(from[0] - event.clientX, from[1] - event.clientY) > 4);
    });
    window.addEventListener("pointerup", () => {
      from = null;
      this.holder.classList.remove("dragged");
    });
  }
}

const shorten = (text, room) => (text.length > room ? `${text.slice(0, Math.max(3, Math.floor(room) - 1))}…` : text);
