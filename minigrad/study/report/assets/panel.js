// What a frame says: the operation, its formula, the numbers that go in and come out.

function chip(step, extra = "") {
  return h("span", { class: "chip" }, h("b", {}, labelOf(step)), " ",
    h("span", { class: "kind" }, [shapeText(step.shape), step.dtype, extra].filter(Boolean).join(" · ")));
}

function block(heading, ...content) {
  return h("section", { class: "block" }, h("h3", {}, heading), content);
}

function valueBlock(step, extra) {
  return h("div", { class: "entry", "data-step": step.index, "data-role": "value" },
    chip(step, extra), tensorView(step.value, noteOf(step) || T("not kept")));
}

const noteOf = (step) => step.note;

const lossName = () => T("L");

/** ∂L/∂name as markup. */
function partial(name) {
  const made = h("span", { class: "formula" });
  const math = document.createElementNS("http://www.w3.org/1998/Math/MathML", "math");
  const m = (tag, ...children) => {
    const node = document.createElementNS("http://www.w3.org/1998/Math/MathML", tag);
    node.append(...children);
    return node;
  };
  math.append(m("mfrac", m("mrow", m("mi", "∂"), m("mi", lossName())), m("mrow", m("mi", "∂"), m("mtext", name))));
  made.append(math);
  return made;
}

function line(...parts) {
  return h("p", { class: "equation" }, parts);
}

function siteLine(step) {
  if (!step.site) return null;
  const [file, number, text] = step.site;
  return h("p", { class: "site" }, `${file}:${number}`, text ? h("code", {}, text) : null);
}

/** What is said of a frame in one sentence, for the line above the picture and for screen readers. */
function summaryOf(frame) {
  const { phase, node } = frame;
  if (phase === "given") return T("given summary", { n: steps.filter((step) => step.kind === "input").length });
  if (phase === "seed") return T("seed summary");
  if (phase === "end") return T("end summary");
  const values = { i: frame.number, of: frame.of, op: titleOf(node), name: labelOf(node.step), shape: shapeText(node.step.shape) };
  return T(`${phase} summary`, values);
}

function contentOf(frame) {
  return { given: givenContent, forward: forwardContent, seed: seedContent, backward: backwardContent, end: endContent }[
    frame.phase](frame);
}

function heading(frame, title, step) {
  const where = frame.of ? ` ${frame.number} / ${frame.of}` : "";
  return [
    h("p", { class: `eyebrow ${["seed", "backward", "end"].includes(frame.phase) ? "backward" : "forward"}` },
      T(frame.phase === "seed" || frame.phase === "end" ? "backward" : frame.phase === "given" ? "forward" : frame.phase), where),
    h("h2", {}, title),
    step ? pathOf(step) : null,
  ];
}

function pathOf(step) {
  if (!step.group.length) return null;
  return h("p", { class: "path" }, step.group.map((key) => groups[key].label).join(" › "));
}

function givenContent(frame) {
  const given = steps.filter((step) => step.kind === "input");
  return [heading(frame, T("what is given")), h("p", { class: "lead" }, T("given lead")),
    given.map((step) => valueBlock(step, step.gradient ? "" : T("constant")))];
}

function forwardContent(frame) {
  const { node } = frame;
  const { step } = node;
  if (node.key !== null) return foldedForward(frame);
  const operands = takes(node);
  return [
    heading(frame, step.op, step),
    line(h("span", { class: "lhs" }, step.name, " ="), formula(step.math, step.text)),
    siteLine(step),
    step.note && step.value ? h("p", { class: "note" }, step.note) : null,
    block(T(operands.length === 1 ? "operand" : "operands"), operands.map((entry) => operandView(entry))),
    block(T("result"), valueBlock(step)),
  ];
}

function operandView(entry) {
  if (entry.operand !== null) return valueBlock(steps[entry.operand]);
  return h("div", { class: "entry number" }, h("span", { class: "kind" }, T("number")), " ",
    h("output", { class: "scalar" }, entry.number === "nan" ? "?" : write(entry.number)));
}

function foldedForward(frame) {
  const { node } = frame;
  const inner = node.steps.filter((step) => step.kind !== "input");
  const own = node.steps.filter((step) => step.kind === "input");
  return [
    heading(frame, titleOf(node), { group: node.step.group.slice(0, node.step.group.indexOf(node.key)) }),
    foldedLead(node),
    h("ol", { class: "inner" }, inner.map((step) => h("li", {}, h("span", { class: "lhs" }, step.name, " ="), formula(step.math, step.text)))),
    block(T("operands"), [...takes(node).map((entry) => operandView(entry)), ...own.map((step) => valueBlock(step))]),
    block(T("result"), outputs(node).map((step) => valueBlock(step))),
  ];
}

/** What a folded group is for, and how to open it. */
function foldedLead(node) {
  const n = node.steps.filter((step) => step.kind !== "input").length;
  const { words } = groups[node.key];
  return [words ? h("p", { class: "words" }, words) : null, h("p", { class: "lead" }, T("folded lead", { n }), " ",
    h("button", { class: "link", type: "button", onclick: () => page.fold(node.key) }, T("open it")))];
}

function seedContent(frame) {
  const result = steps[DATA.result];
  return [
    heading(frame, T("the start of backward")),
    line(partial(labelOf(result)), h("span", { class: "lhs" }, " = 1")),
    h("p", { class: "lead" }, T("seed lead")),
    block(T("gradient"), gradientEntry(result)),
    block(T("its value"), valueBlock(result)),
  ];
}

function gradientEntry(step, role = "gradient", packed = step.gradient) {
  return h("div", { class: "entry", "data-step": step.index, "data-role": role }, chip(step), tensorView(packed));
}

/** ḡ, what arrives at a value: one gradient, or the sum of several. */
function arriving(step) {
  const from = sources(step.index);
  const body = [line(h("span", { class: "lhs" }, "ḡ ="), partial(labelOf(step)))];
  if (from.length > 1) body.push(...sumOf(step, from, Infinity));
  else {
    if (from.length) body.push(h("p", { class: "from" }, rich("arrives from", maker(from[0].user))));
    body.push(gradientEntry(step));
  }
  return body;
}

const maker = (user) => ({ op: h("code", {}, steps[user].op), name: h("code", {}, steps[user].name) });

/** The terms of a sum of gradients, as far as they have arrived, and what they make. */
function sumOf(step, from, now) {
  const terms = from.map(({ user, place }) => ({ user, flow: flowOf(user, place).flow, at: page.arrival(user) }));
  const here = terms.filter((term) => term.at <= now);
  const missing = terms.length - here.length;
  const known = here.every((term) => term.flow);
  const list = here.map(({ user, flow }, i) => h("div", { class: "term" },
    h("p", { class: "from" }, i ? h("b", { class: "plus" }, "+ ") : null, rich("from", maker(user))),
    flow ? tensorView(flow) : h("p", { class: "missing" }, T("term unknown"))));
  const parts = [h("p", { class: "meet" }, T("meet", { n: terms.length, here: here.length })), h("div", { class: "terms" }, list)];
  if (missing) {
    const partialSum = known && here.length > 1 ? added(here.map((term) => term.flow)) : null;
    if (partialSum) parts.push(h("p", { class: "from" }, T("sum so far")), tensorView(partialSum));
    parts.push(h("p", { class: "missing" }, T("still to come", { n: missing })));
  } else {
    parts.push(h("p", { class: "from" }, h("b", { class: "plus" }, "= "), T("sum")), gradientEntry(step));
  }
  return parts;
}

/** The sum of arrays that are shown whole; null if one is not. */
function added(list) {
  if (list.some((packed) => !packed?.all)) return null;
  return { ...list[0], all: list[0].all.map((_, i) => list.reduce((sum, packed) => sum + plain(packed.all[i]), 0)) };
}

function backwardContent(frame) {
  const { node } = frame;
  const { step } = node;
  if (node.key !== null) return foldedBackward(frame);
  const rules = step.rules.filter((rule) => flowOf(step.index, rule.place));
  return [
    heading(frame, T("backward of", { op: step.op }), step),
    line(h("span", { class: "lhs" }, step.name, " ="), formula(step.math, step.text)),
    block(T("what arrives"), arriving(step)),
    rules.map((rule) => ruleBlock(frame, step, rule)),
    rules.length ? null : h("p", { class: "missing" }, step.note || T("no rules")),
    readBlock(step),
  ];
}

function ruleBlock(frame, step, rule) {
  const operand = steps[step.operands[rule.place]];
  const from = sources(operand.index);
  const several = from.length > 1;
  const body = [
    line(partial(labelOf(operand)), h("span", { class: "lhs" }, several ? " += " : " = "), formula(rule.math, rule.text)),
    h("div", { class: "entry", "data-step": operand.index, "data-role": "flow", "data-place": rule.place },
      chip(operand), tensorView(rule.flow, T("term unknown"))),
  ];
  if (several) {
    body.push(h("details", { class: "sum", open: true }, h("summary", {}, T("accumulated")), sumOf(operand, from, frame.index)));
  }
  return block(T("sent to", { name: labelOf(operand) }), body);
}

/** The numbers that the rules read. */
function readBlock(step) {
  const operands = takes({ key: null, steps: [step] });
  return h("details", { class: "read" }, h("summary", {}, T("values")),
    operands.map((entry) => operandView(entry)), valueBlock(step));
}

function foldedBackward(frame) {
  const { node } = frame;
  const entries = takes(node).filter((entry) => steps[entry.operand].gradient);
  const own = node.steps.filter((step) => step.kind === "input" && step.gradient);
  const out = outputs(node).filter((step) => step.gradient);
  return [
    heading(frame, T("backward of", { op: titleOf(node) }), { group: node.step.group.slice(0, node.step.group.indexOf(node.key)) }),
    foldedLead(node),
    h("ul", { class: "inner" }, node.steps.filter((inner) => inner.gradient).reverse().flatMap((inner) => inner.rules
      .filter((rule) => rule.math).map((rule) => h("li", {}, partial(labelOf(steps[inner.operands[rule.place]])),
        h("span", { class: "lhs" }, " ← "), formula(rule.math, rule.text))))),
    block(T("what arrives"), out.map((step) => gradientEntry(step))),
    entries.map((entry) => {
      const operand = steps[entry.operand];
      const sending = entry.uses.filter(({ user, place }) => flowOf(user, place));
      if (!sending.length) return null;
      const whole = sources(operand.index).length === sending.length;
      const flows = sending.map(({ user, place }) => flowOf(user, place).flow);
      const total = whole ? operand.gradient : flows.length === 1 ? flows[0] : added(flows);
      const share = whole ? null : h("p", { class: "from" }, T("one of", { n: sources(operand.index).length }));
      return block(T("sent to", { name: labelOf(operand) }), line(partial(labelOf(operand))), share,
        gradientEntry(operand, "flow", total));
    }),
    own.map((step) => block(T("sent to", { name: labelOf(step) }), line(partial(labelOf(step))), gradientEntry(step))),
  ];
}

function endContent(frame) {
  const given = steps.filter((step) => step.kind === "input" && step.gradient);
  return [heading(frame, T("the gradients")), h("p", { class: "lead" }, T("end lead")),
    given.map((step) => block(labelOf(step), line(partial(labelOf(step))), gradientEntry(step)))];
}
