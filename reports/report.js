// Comfort only: the page says everything without it.
"use strict";
(() => {
  const el = (tag, props) => Object.assign(document.createElement(tag), props);
  const root = document.documentElement;

  // Theme: as the system says, or the other one.
  const dark = () => (root.dataset.theme || (matchMedia("(prefers-color-scheme:dark)").matches ? "dark" : "light")) === "dark";
  const theme = el("button", { type: "button" });
  const named = () => (theme.textContent = dark() ? "Light" : "Dark");
  theme.onclick = () => { root.dataset.theme = dark() ? "light" : "dark"; named(); };
  named();
  document.querySelector("nav").append(theme);

  // A link to something folded opens it.
  const open = () => {
    let at = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    for (const target = at; at; at = at.parentElement) {
      if (at.tagName === "DETAILS") { at.open = true; target.scrollIntoView(); }
    }
  };
  addEventListener("hashchange", open);
  open();

  // Sort the route tables by a column: the number as shown, with its unit.
  const scale = { ms: 1, s: 1e3, min: 6e4, h: 36e5, k: 1e3, M: 1e6, G: 1e9 };
  const value = (row, column) => {
    const text = row.cells[column].textContent.trim().split("→").pop().trim();
    const found = /^([+−×<]?) ?([\d.,]+)\s*([a-zA-Z%]*)/.exec(text);
    if (!found) return column ? -Infinity : text;
    let number = parseFloat(found[2].replace(/,/g, "")) * (scale[found[3]] || 1);
    if (found[1] === "×") number = number * 100 - 100;
    return found[1] === "−" ? -number : number;
  };
  const tables = [...document.querySelectorAll("table.routes")];
  for (const table of tables) {
    [...table.tHead.rows[0].cells].forEach((head, column) => {
      const label = head.textContent;
      if (label === "trend" || label === "verdict" || label === "likely range") return;
      const button = el("button", { type: "button", textContent: label });
      head.replaceChildren(button);
      button.onclick = () => {
        const down = head.getAttribute("aria-sort") !== "descending";
        for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
        head.setAttribute("aria-sort", down ? "descending" : "ascending");
        const rows = [...table.tBodies[0].rows].map((row) => [value(row, column), row]);
        rows.sort((a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0));
        if (down === (column > 0)) rows.reverse();
        table.tBodies[0].append(...rows.map((pair) => pair[1]));
      };
    });
  }

  // Filter routes by a part of their name.
  if (tables.length) {
    const filter = el("input", { type: "search", placeholder: "part of a route" });
    const label = el("label", { className: "tools" });
    label.append("Filter", filter);
    tables[0].closest("section").querySelector("h2").after(label);
    filter.oninput = () => {
      const part = filter.value.toLowerCase();
      for (const table of tables) {
        for (const row of table.tBodies[0].rows) row.hidden = !row.cells[0].textContent.toLowerCase().includes(part);
        if (part) for (let at = table; at; at = at.parentElement) if (at.tagName === "DETAILS") at.open = true;
      }
    };
  }
})();
