// The table of samples: a click on a header sorts by it, again the other way round, again as it was.

class Samples {
  constructor(holder, table) {
    this.holder = holder;
    this.table = table;
    this.sorted = { column: -1, direction: 1 };
    this.draw();
  }

  numbers(column) {
    return this.table.rows.flatMap((row) => row[column]).map(plain).filter((x) => typeof x === "number");
  }

  draw() {
    const { columns, rows, total } = this.table;
    this.styles = columns.map((_, column) => {
      const numbers = this.numbers(column);
      const finite = numbers.filter(Number.isFinite);
      return {
        numeric: numbers.length > 0,
        text: writer(numbers),
        largest: largestOf(numbers),
        heated: finite.some((x) => !Number.isInteger(x)) && !/^(#|row|sample|index)$/i.test(columns[column]),
      };
    });
    this.buttons = columns.map((name, column) => h("button", { type: "button", onclick: () => this.sort(column) },
      name, h("span", { class: "order", "aria-hidden": "true" })));
    this.heads = columns.map((_, column) => h("th", { scope: "col", "aria-sort": "none",
      class: this.styles[column].numeric ? "numeric" : null }, this.buttons[column]));
    this.body = h("tbody");
    this.fill(rows.map((_, i) => i));
    const most = rows.length < total ? h("p", { class: "note" }, T("rows cut", { shown: rows.length, n: total })) : null;
    this.status = h("p", { class: "hidden", role: "status" });
    this.holder.replaceChildren(
      h("div", { class: "scroller", tabindex: "0", role: "region", "aria-label": T("samples") },
        h("table", { class: "samples" }, h("caption", { class: "hidden" }, T("samples")),
          h("thead", {}, h("tr", {}, this.heads)), this.body)), ...[most, this.status].filter(Boolean));
  }

  fill(order) {
    this.body.replaceChildren(...order.map((i) => h("tr", { "data-row": i }, this.table.rows[i].map((x, column) => this.cell(x, column)))));
  }

  cell(x, column) {
    const { text, largest, heated } = this.styles[column];
    const value = plain(x);
    if (x === null) return h("td", { class: "empty" }, "–");
    if (typeof x === "boolean") return h("td", { class: x ? "yes" : "empty" }, x ? T("yes") : "–");
    if (Array.isArray(x)) {
      return h("td", { class: "numeric" }, h("span", { class: "vector" },
        x.map((v) => h("span", { ...heat(v, largest), "data-v": String(v) }, text(v)))));
    }
    if (typeof value !== "number") return h("td", {}, typeof x === "string" ? x : JSON.stringify(x));
    const mark = heated ? heat(value, largest) : {};
    return h("td", { ...mark, class: `numeric ${mark.class ?? ""}`, "data-v": String(x) }, text(x));
  }

  sort(column) {
    const { sorted } = this;
    if (sorted.column !== column) Object.assign(sorted, { column, direction: this.styles[column].numeric ? -1 : 1 });
    else if (sorted.direction === (this.styles[column].numeric ? -1 : 1)) sorted.direction *= -1;
    else sorted.column = -1;
    const rows = this.table.rows;
    const order = rows.map((_, i) => i);
    if (sorted.column >= 0) order.sort((i, j) => sorted.direction * compare(rows[i][column], rows[j][column], sorted.direction) || i - j);
    this.heads.forEach((head, i) => head.setAttribute("aria-sort",
      i !== sorted.column ? "none" : sorted.direction > 0 ? "ascending" : "descending"));
    this.status.textContent = sorted.column < 0 ? T("not sorted")
      : T(sorted.direction > 0 ? "ascending" : "descending", { column: this.table.columns[column] });
    this.fill(order);
  }
}

/** Numbers by size, text by letters; what is missing or not a number comes last in either direction. */
function compare(a, b, direction) {
  if (Array.isArray(a) && Array.isArray(b)) return largestOf(a) - largestOf(b); // lists by their largest number
  const [x, y] = [plain(a), plain(b)];
  const last = (v) => v === null || v === undefined || Number.isNaN(v);
  if (last(x) || last(y)) return direction * (last(x) - last(y));
  if (typeof x === "number" && typeof y === "number") return x - y;
  return String(x).localeCompare(String(y), undefined, { numeric: true });
}
