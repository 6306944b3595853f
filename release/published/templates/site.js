// Shows one table: choices, a bar chart with intervals, and the figures. Data arrives by script (utfall.table, utfall.part).
"use strict";
const utfall = (() => {
  const WORDS = {
    en: { all: "All", figures: "Figures", chart: "Chart of", withheld: "not shown", loading: "Loading…", failed: "The figures could not be loaded.",
          nothing: "There are no figures for this choice.", first: "The chart shows the first {n} rows.", interval: "95 % interval in the second line" },
    fi: { all: "Kaikki", figures: "Luvut", chart: "Kuvio:", withheld: "ei näytetä", loading: "Ladataan…", failed: "Lukuja ei voitu ladata.",
          nothing: "Tälle valinnalle ei ole lukuja.", first: "Kuviossa on {n} ensimmäistä riviä.", interval: "toisella rivillä 95 %:n väli" },
    sv: { all: "Alla", figures: "Tal", chart: "Diagram:", withheld: "visas inte", loading: "Läser in…", failed: "Talen kunde inte läsas in.",
          nothing: "Det finns inga tal för detta val.", first: "Diagrammet visar de {n} första raderna.", interval: "95 %-intervall på andra raden" },
  };
  const LONGEST_CHART = 40;
  const language = document.documentElement.lang;
  const words = WORDS[language] || WORDS.en;
  const locale = language === "en" ? "en-GB" : language;
  const parts = new Map();
  let table = null;
  const choice = { codes: [], rows: -1, statistic: 0 };

  const byId = (id) => document.getElementById(id);
  const text = (texts) => texts[language] || texts.en;
  const capital = (word) => word.charAt(0).toLocaleUpperCase(locale) + word.slice(1);
  const sizes = () => [...table.keys.map((key) => key.codes.length), table.statistics.length];

  function element(name, content, attributes = {}) {
    const made = document.createElement(name);
    if (content !== undefined) made.textContent = content;
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    return made;
  }

  // ---- figures ----------------------------------------------------------------------------------------------------

  function part(name, number, content) {
    const before = new Int32Array(content.status.length + 1);
    for (let row = 0; row < content.status.length; row++) before[row + 1] = before[row] + (content.status[row] === "0" ? 1 : 0);
    const notes = new Map();
    for (let i = 0; i < content.note.length; i += 2) notes.set(content.note[i], content.note[i + 1]);
    const starts = [];
    for (let i = 0, row = 0; i < content.at.length; i += 2) { starts.push(row); row += content.at[i + 1]; }
    parts.set(number, { ...content, before, notes, starts });
  }

  function partOf(code) { return table.parts > 1 ? code : 0; }

  function place(codes, statistic) {
    return [...codes, statistic].reduce((sum, index, i) => sum * sizes()[i] + index, 0);
  }

  function rowOf(held, wanted) {
    let low = 0, high = held.at.length / 2 - 1;
    while (low <= high) {
      const middle = (low + high) >> 1, start = held.at[2 * middle];
      if (wanted < start) high = middle - 1;
      else if (wanted >= start + held.at[2 * middle + 1]) low = middle + 1;
      else return held.starts[middle] + wanted - start;
    }
    return -1;
  }

  function figure(codes, statistic) {
    const held = parts.get(partOf(codes.length ? codes[0] : 0));
    const row = held ? rowOf(held, place(codes, statistic)) : -1;
    if (row < 0) return null;
    const note = held.notes.has(row) ? table.notes[held.notes.get(row)] : "";
    const status = Number(held.status[row]), i = held.before[row];
    if (status !== 0) return { shown: false, reason: text(table.statuses[status]), note };
    return { shown: true, value: held.value[i], lower: held.lower[i], upper: held.upper[i], note };
  }

  // ---- numbers ----------------------------------------------------------------------------------------------------

  function decimals(statistic, halfWidth) {
    if (statistic.name === "count" || !(halfWidth > 0)) return statistic.name === "count" ? 0 : 1;
    return Math.min(3, Math.max(0, -Math.floor(Math.log10(halfWidth / 1.96))));
  }

  function number(value, digits, percent) {
    const format = new Intl.NumberFormat(locale, { style: percent ? "percent" : "decimal", minimumFractionDigits: digits, maximumFractionDigits: digits, signDisplay: "negative" });
    return format.format(value);
  }

  function written(statistic, found) {
    const scale = statistic.fraction ? 100 : 1;
    const exact = statistic.name === "sum";
    const digits = exact ? (Number.isInteger(found.value) ? 0 : 2) : decimals(statistic, ((found.upper - found.lower) / 2) * scale);
    const plain = (value) => number(value * scale, digits, false);
    const bounded = Number.isFinite(found.lower) && Number.isFinite(found.upper);
    return { value: number(found.value, digits, statistic.fraction), interval: bounded ? `${plain(found.lower)}–${plain(found.upper)}` : "" };
  }

  // ---- choices ----------------------------------------------------------------------------------------------------

  function options(select, texts, chosen) {
    select.replaceChildren(...texts.map((label, i) => element("option", label, { value: i })));
    select.selectedIndex = chosen;
  }

  function start() {
    readAddress();
    table.keys.forEach((key, i) => { if (key.codes.length > 1) addChoice(key, i); });
    const variable = table.keys.map((key, i) => i).filter((i) => table.keys[i].codes.length > 1);
    options(byId("rows"), variable.map((i) => text(table.keys[i].title)), variable.indexOf(choice.rows));
    options(byId("shown"), table.statistics.map((s) => capital(text(s.called))), choice.statistic);
    byId("rows").parentElement.hidden = variable.length < 2;
    byId("shown").parentElement.hidden = table.statistics.length < 2;
    byId("rows").addEventListener("change", (event) => { choice.rows = variable[event.target.selectedIndex]; show(); });
    byId("shown").addEventListener("change", (event) => { choice.statistic = event.target.selectedIndex; show(); });
    byId("set").hidden = variable.length === 0 && table.statistics.length < 2;
    byId("view").hidden = false;
    show();
  }

  function addChoice(key, i) {
    const box = element("div", undefined, { class: "choice", id: `choice-${i}` });
    const select = element("select", undefined, { id: `key-${i}` });
    options(select, key.texts[language] || key.texts.en, choice.codes[i]);
    select.addEventListener("change", () => { choice.codes[i] = select.selectedIndex; show(); });
    box.append(element("label", text(key.title), { for: `key-${i}` }), select);
    byId("choices").append(box);
  }

  function readAddress() {
    const asked = new URLSearchParams(location.hash.slice(1));
    const known = (list, wanted, otherwise) => (list.indexOf(wanted) < 0 ? otherwise : list.indexOf(wanted));
    const many = table.keys.map((key) => key.codes.length > 1).lastIndexOf(true);
    choice.codes = table.keys.map((key) => known(key.codes, asked.get(key.name), Math.max(0, key.codes.indexOf("all"))));
    choice.rows = known(table.keys.map((key) => key.name), asked.get("in-rows"), many);
    if (choice.rows >= 0 && table.keys[choice.rows].codes.length < 2) choice.rows = many;
    choice.statistic = known(table.statistics.map((s) => s.name), asked.get("in-chart"), firstWithRows());
  }

  function firstWithRows() {
    return Math.max(0, table.statistics.findIndex((s) => s.name === "share"));
  }

  function writeAddress() {
    const address = new URLSearchParams(table.keys.map((key, i) => [key.name, key.codes[choice.codes[i]]]));
    if (choice.rows >= 0) address.set("in-rows", table.keys[choice.rows].name);
    address.set("in-chart", table.statistics[choice.statistic].name);
    try { history.replaceState(null, "", `#${address}`); } catch { /* some browsers refuse it for files: no matter */ }
    document.querySelectorAll(".languages a").forEach((link) => { link.hash = address.toString(); });
  }

  // ---- what is shown ----------------------------------------------------------------------------------------------

  async function show() {
    table.keys.forEach((key, i) => { const box = byId(`choice-${i}`); if (box) box.hidden = i === choice.rows; });
    writeAddress();
    const needed = choice.rows === 0 ? table.keys[0].codes.map((_, i) => partOf(i)) : [partOf(choice.codes.length ? choice.codes[0] : 0)];
    const missing = [...new Set(needed)].filter((i) => !parts.has(i));
    if (missing.length) byId("message").textContent = words.loading;
    try { await Promise.all(missing.map(load)); } catch { byId("message").textContent = words.failed; return; }
    draw();
  }

  function load(number) {
    return new Promise((resolve, reject) => {
      const script = element("script", undefined, { src: `data/${table.name}.${number}.js` });
      script.onload = resolve;
      script.onerror = reject;
      document.head.append(script);
    });
  }

  function rows() {
    const one = (codes, label) => ({ label, figures: table.statistics.map((_, s) => figure(codes, s)) });
    if (choice.rows < 0) return [one(choice.codes, words.all)].filter((row) => row.figures.some(Boolean));
    const key = table.keys[choice.rows];
    const labels = key.texts[language] || key.texts.en;
    return key.codes.map((_, i) => one(choice.codes.map((code, k) => (k === choice.rows ? i : code)), labels[i]))
      .filter((row) => row.figures.some(Boolean));
  }

  function draw() {
    const found = rows();
    byId("message").textContent = found.length ? "" : words.nothing;
    const chosen = table.keys.filter((key, i) => i !== choice.rows && key.codes.length > 1)
      .map((key) => (key.texts[language] || key.texts.en)[choice.codes[table.keys.indexOf(key)]]).join(", ");
    byId("caption").textContent = `${words.figures}${chosen ? `: ${chosen}` : ""} (${table.exact ? text(table.exact) : words.interval})`;
    drawTable(found);
    drawChart(found, chosen);
  }

  function drawTable(found) {
    const used = table.statistics.map((_, s) => s).filter((s) => found.some((row) => row.figures[s]));
    const head = element("tr");
    head.append(element("th", choice.rows < 0 ? "" : text(table.keys[choice.rows].title), { scope: "col" }));
    used.forEach((s) => head.append(element("th", called(table.statistics[s]), { scope: "col" })));
    byId("head").replaceChildren(head);
    byId("body").replaceChildren(...found.map((row) => {
      const line = element("tr");
      line.append(element("th", row.label, { scope: "row" }), ...used.map((s) => cell(table.statistics[s], row.figures[s])));
      return line;
    }));
  }

  function called(statistic) {
    const inUnit = /^(sum|mean|p\d+)$/.test(statistic.name) && table.unit;
    return capital(inUnit ? `${text(statistic.called)}, ${table.unit}` : text(statistic.called));
  }

  function cell(statistic, found) {
    const made = element("td");
    if (!found) return made;
    if (found.shown) {
      const { value, interval } = written(statistic, found);
      made.append(element("span", value), element("span", interval, { class: "interval" }));
    } else made.append(element("span", found.reason, { class: "withheld" }));
    if (found.note) made.append(element("span", found.note, { class: "note" }));
    return made;
  }

  // ---- chart ------------------------------------------------------------------------------------------------------

  function shape(name, attributes, content) {
    const made = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    if (content !== undefined) made.textContent = content;
    return made;
  }

  function drawChart(found, chosen) {
    const statistic = table.statistics[choice.statistic];
    const all = found.filter((row) => row.figures[choice.statistic]);
    const bars = all.slice(0, LONGEST_CHART).map((row) => ({ label: row.label, ...row.figures[choice.statistic] }));
    byId("chart").hidden = bars.length < 2;
    if (bars.length < 2) return;
    const title = `${called(statistic)}${chosen ? `: ${chosen}` : ""}`;
    const cut = all.length > bars.length ? words.first.replace("{n}", LONGEST_CHART) : "";
    byId("chart-title").textContent = cut ? `${title}. ${cut}` : title;
    byId("drawing").replaceChildren(drawing(statistic, bars, `${words.chart} ${title}`));
  }

  function drawing(statistic, bars, label) {
    const wide = Math.max(260, byId("drawing").clientWidth || 600);
    const beside = wide > 620, labelWidth = beside ? 220 : 0, rowHeight = beside ? 28 : 44, space = 78;
    const shown = bars.filter((bar) => bar.shown);
    const ends = shown.flatMap((bar) => [bar.value, bar.lower, bar.upper]).filter(Number.isFinite);
    const low = Math.min(0, ...ends), high = Math.max(0, ...ends) || 1;
    const x = (value) => labelWidth + ((value - low) / (high - low)) * (wide - labelWidth - space) + 1;
    const tall = bars.length * rowHeight + 24;
    const svg = shape("svg", { width: wide, height: tall, viewBox: `0 0 ${wide} ${tall}`, role: "img", "aria-label": label });
    const { list, digits } = ticks(low, high, statistic.fraction ? 100 : 1);
    list.forEach((tick) => svg.append(
      shape("line", { class: "grid", x1: x(tick), x2: x(tick), y1: 0, y2: tall - 20 }),
      shape("text", { class: "tick", x: x(tick), y: tall - 5, "text-anchor": x(tick) < 12 ? "start" : "middle" }, number(tick, digits, statistic.fraction))));
    bars.forEach((bar, i) => svg.append(...oneBar(statistic, bar, { top: i * rowHeight, beside, labelWidth, x })));
    return svg;
  }

  function oneBar(statistic, bar, { top, beside, labelWidth, x }) {
    const y = top + (beside ? 5 : 22), middle = y + 8;
    const longest = beside ? 27 : 42;
    const short = bar.label.length > longest ? `${bar.label.slice(0, longest - 1)}…` : bar.label;
    const label = shape("text", { x: beside ? labelWidth - 8 : 0, y: beside ? middle + 5 : top + 16, "text-anchor": beside ? "end" : "start" }, short);
    if (!bar.shown) return [label, shape("text", { class: "reason", x: x(0) + 4, y: middle + 5 }, bar.reason)];
    const [from, to] = [Math.min(x(0), x(bar.value)), Math.max(x(0), x(bar.value))];
    const marks = [label, shape("rect", { class: "value", x: from, y, width: to - from, height: 16 })];
    const bounded = Number.isFinite(bar.lower) && Number.isFinite(bar.upper);
    const [start, end] = bounded ? [x(bar.lower), x(bar.upper)] : [from, to];
    if (bounded) marks.push(shape("path", { class: "interval", d: `M${start} ${middle}H${end}M${start} ${middle - 4}v8M${end} ${middle - 4}v8` }));
    marks.push(shape("text", { x: Math.max(to, end) + 6, y: middle + 5 }, written(statistic, bar).value));
    return marks;
  }

  function ticks(low, high, scale) {
    const rough = (high - low) / 5, power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= rough);
    const list = [];
    for (let i = Math.ceil(low / step); i * step <= high * 1.0001; i++) list.push(i * step);
    return { list, digits: Math.max(0, -Math.floor(Math.log10(step * scale * 1.0001))) };
  }

  function describe(description) {
    table = description;
    start();
    let width = innerWidth;
    addEventListener("resize", () => { if (innerWidth !== width) { width = innerWidth; draw(); } });
  }

  return { table: describe, part };
})();
