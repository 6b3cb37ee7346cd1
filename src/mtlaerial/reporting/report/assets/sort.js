// Sorting of tables: a button in each column's head, and the original order after the third press.
"use strict";
document.documentElement.classList.add("scripts");

// The first number of a cell, such as of "+1.23 (−0.2 to 2.4)"; null where it does not begin with one.
function numberOf(text) {
  const plain = text.replace(/[−–]/g, "-").replace(/(\d),(?=\d{3})/g, "$1").trim();
  const match = /^[≈≤≥]?\s*([+-]?\d+(?:\.\d+)?(?:e[+-]?\d+)?)/i.exec(plain);
  return match ? Number(match[1]) : null;
}

// Rows by a column: numbers by size, else words; rows without a value are last in both directions.
function sortedRows(rows, column, falling) {
  const texts = rows.map((row) => row.cells[column].textContent.trim());
  const valued = texts.filter((text) => text && text !== "–");
  const numeric = valued.filter((text) => numberOf(text) !== null).length * 2 > valued.length;
  const keys = texts.map((text) => (numeric ? numberOf(text) : text && text !== "–" ? text : null));
  const sign = falling ? -1 : 1;
  const compare = numeric ? (a, b) => a - b : (a, b) => a.localeCompare(b, "en", { numeric: true });
  const order = rows.map((_, index) => index);
  order.sort((a, b) => {
    if (keys[a] === null || keys[b] === null) return (keys[a] === null) - (keys[b] === null) || a - b;
    return sign * compare(keys[a], keys[b]) || a - b;
  });
  return order.map((index) => rows[index]);
}

function sortTable(table, original, column) {
  const heads = [...table.tHead.rows[0].cells];
  const before = heads[column].getAttribute("aria-sort");
  const after = { none: "ascending", ascending: "descending", descending: "none" }[before];
  heads.forEach((head) => head.setAttribute("aria-sort", "none"));
  heads[column].setAttribute("aria-sort", after);
  const rows = after === "none" ? original : sortedRows(original, column, after === "descending");
  table.tBodies[0].append(...rows);
}

for (const table of document.querySelectorAll("table.sortable")) {
  const original = [...table.tBodies[0].rows];
  [...table.tHead.rows[0].cells].forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    head.setAttribute("aria-sort", "none");
    button.addEventListener("click", () => sortTable(table, original, column));
  });
}
