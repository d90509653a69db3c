// The page: stepper, keys, theme, folding, printing.

const $ = (id) => document.getElementById(id);

const page = {
  at: 0,
  timer: null,

  start() {
    this.picture = new Picture($("graph"), { onpick: (node) => this.pick(node), onfold: (key) => this.fold(key) });
    this.rebuild();
    this.wire();
    DATA.tables.forEach((table, i) => table && new Samples($(`table-${i}`), table));
    this.go(Number(location.hash.match(/^#frame=(\d+)$/)?.[1] ?? 0));
  },

  rebuild() {
    this.graph = visible();
    this.frames = framesOf(this.graph);
    this.when = completion(this.graph, this.frames);
    this.picture.draw(this.graph);
    const slider = $("slider");
    slider.max = this.frames.length - 1;
    const seed = this.frames.findIndex((frame) => frame.phase === "seed");
    slider.style.setProperty("--turn", seed < 0 ? "100%" : `${((seed - 0.5) / (this.frames.length - 1)) * 100}%`);
    $("unfold").disabled = open.size === Object.keys(groups).length;
    $("refold").disabled = open.size === 0;
  },

  /** The frame in which a step sends its gradients on. */
  arrival(user) {
    const id = nodeOf(steps[user]);
    return this.frames.find((frame) => frame.phase === "backward" && frame.node.id === id)?.index ?? Infinity;
  },

  go(index) {
    this.at = Math.max(0, Math.min(this.frames.length - 1, index));
    const frame = this.frames[this.at];
    const backward = ["seed", "backward", "end"].includes(frame.phase);
    document.body.dataset.phase = backward ? "backward" : "forward";
    this.picture.show(frame, this.frames, this.when);
    const panel = $("panel");
    panel.replaceChildren(...contentOf(frame).flat(3).filter(Boolean));
    panel.scrollTop = 0;
    const summary = summaryOf(frame);
    $("summary").textContent = summary;
    $("count").textContent = `${this.at + 1} / ${this.frames.length}`;
    const slider = $("slider");
    slider.value = this.at;
    slider.setAttribute("aria-valuetext", summary);
    slider.style.setProperty("--at", `${(this.at / Math.max(1, this.frames.length - 1)) * 100}%`);
    for (const id of ["first", "previous"]) $(id).disabled = this.at === 0;
    for (const id of ["next", "last"]) $(id).disabled = this.at === this.frames.length - 1;
    if (this.at === this.frames.length - 1) this.stop();
  },

  move(by) {
    this.stop();
    this.go(this.at + by);
    const { top, bottom } = $("stepper").getBoundingClientRect();
    if (bottom < 0 || top > innerHeight) $("stepper").scrollIntoView({ block: "start" });
  },

  play() {
    if (this.timer) return this.stop();
    if (this.at === this.frames.length - 1) this.go(0);
    const tick = () => {
      this.timer = setTimeout(tick, 1200 / Number($("speed").value));
      this.go(this.at + 1);
    };
    this.timer = setTimeout(tick, 500 / Number($("speed").value));
    this.playing(true);
    return undefined;
  },

  stop() {
    clearTimeout(this.timer);
    this.timer = null;
    this.playing(false);
  },

  playing(on) {
    $("play").setAttribute("aria-label", T(on ? "pause" : "play"));
    $("play").title = `${T(on ? "pause" : "play")} (${T("space")})`;
    $("play").classList.toggle("playing", on);
  },

  /** To the frame of a node, in the direction one is going. */
  pick(node) {
    if (this.picture.holder.classList.contains("dragged")) return;
    const backward = document.body.dataset.phase === "backward";
    const of = (phase) => this.frames.find((frame) => frame.phase === phase && frame.node?.id === node.id);
    const frame = (backward && of("backward")) || of("forward") || (backward ? this.frames[this.frames.length - 1] : this.frames[0]);
    this.stop();
    this.go(frame.index);
  },

  fold(key) {
    this.change(() => (open.has(key) ? open.delete(key) : open.add(key)));
    const again = document.querySelector(`[data-group="${CSS.escape(key)}"]`);
    again?.focus({ preventScroll: true });
  },

  /** Folds or opens groups, and stays at the frame of the same step. */
  change(action) {
    this.stop();
    const { phase, node } = this.frames[this.at];
    action();
    this.rebuild();
    let index = this.frames.findIndex((frame) => frame.phase === phase && !frame.node);
    if (node) {
      const inside = new Set(node.steps.map((step) => step.index));
      const fits = this.frames.filter((frame) => frame.phase === phase && frame.node?.steps.some((step) => inside.has(step.index)));
      index = fits[0]?.index ?? 0;
    }
    this.go(Math.max(0, index));
  },

  wire() {
    $("first").onclick = () => this.move(-Infinity);
    $("previous").onclick = () => this.move(-1);
    $("next").onclick = () => this.move(1);
    $("last").onclick = () => this.move(Infinity);
    $("play").onclick = () => this.play();
    $("slider").oninput = (event) => this.move(Number(event.target.value) - this.at);
    $("unfold").onclick = () => this.change(() => Object.keys(groups).forEach((key) => open.add(key)));
    $("refold").onclick = () => this.change(() => open.clear());
    $("closer").onclick = () => this.zoom(1.25);
    $("farther").onclick = () => this.zoom(0.8);
    $("fit").onclick = () => this.zoom(null);
    $("theme").onclick = () => this.theme();
    document.addEventListener("keydown", (event) => this.key(event));
    window.addEventListener("beforeprint", () => this.paper(true));
    window.addEventListener("afterprint", () => this.paper(false));
    window.matchMedia("print").addEventListener("change", (event) => this.paper(event.matches));
    $("steps").addEventListener("toggle", () => $("steps").open && this.list());
    $("panel").addEventListener("mouseover", (event) => sameCells(event.target));
    $("panel").addEventListener("mouseleave", () => sameCells(null));
    let width = innerWidth;
    window.addEventListener("resize", () => {
      if (innerWidth === width) return;
      width = innerWidth;
      this.zoom(null);
    });
  },

  zoom(by) {
    const { picture } = this;
    picture.scale(by === null ? picture.fitting() : Math.max(0.25, Math.min(2.5, picture.zoom * by)));
    picture.follow(this.frames[this.at]);
  },

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const target = event.target;
    const own = target.closest("button, summary, select, [role=button], .scroller, input");
    const moves = { ArrowRight: 1, ArrowLeft: -1, Home: -Infinity, End: Infinity };
    if (event.key === " " && (!own || own.id === "slider")) this.play();
    else if (event.key in moves && !target.closest("select, input, .scroller[tabindex]")) this.move(moves[event.key]);
    else return;
    event.preventDefault();
  },

  theme() {
    const root = document.documentElement;
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
    $("theme").setAttribute("aria-pressed", String(!dark));
  },

  /** Opens what is closed while the page is printed. */
  paper(on) {
    if (on) this.list();
    document.querySelectorAll("main > details").forEach((details) => {
      if (on && !details.open) details.dataset.closed = "";
      if (on || "closed" in details.dataset) details.open = on;
      if (!on) delete details.dataset.closed;
    });
  },

  /** All steps one below the other, for reading and for paper. */
  list() {
    const holder = $("list");
    const opened = [...open].sort().join();
    if (holder.dataset.of === opened) return;
    holder.dataset.of = opened;
    holder.replaceChildren(...this.frames.map((frame) => {
      const article = h("article", { class: "frame", "data-phase": frame.phase }, contentOf(frame));
      const own = article.querySelectorAll("details");
      own.forEach((details) => (details.matches(".read") ? details.remove() : details.setAttribute("open", "")));
      return article;
    }));
    const whole = $("graph").querySelector("svg").cloneNode(true);
    whole.querySelectorAll("[id]").forEach((node) => node.removeAttribute("id"));
    whole.querySelectorAll("[tabindex]").forEach((node) => node.removeAttribute("tabindex"));
    whole.querySelectorAll(".node").forEach((node) => {
      node.classList.remove("waiting", "partial", "current", "backward");
      node.classList.add("known");
    });
    whole.querySelectorAll(".edge").forEach((edge) => edge.classList.remove("forward", "backward", "arrives"));
    $("paper").replaceChildren(...this.picture.columns(whole));
  },
};

/** Marks the cells of the panel that stand at the same place of equally shaped arrays. */
function sameCells(target) {
  const found = target?.closest?.("td[data-i]");
  $("panel").querySelectorAll(".same").forEach((node) => node.classList.remove("same"));
  if (!found) return;
  const { shape } = found.closest("table").dataset;
  $("panel").querySelectorAll(`table[data-shape="${shape}"] td[data-i="${found.dataset.i}"]`)
    .forEach((node) => node.classList.add("same"));
}

page.start();
