// Lines over time with the faults shaded behind them, as SVG that is drawn anew each second.
const SPACE = "http://www.w3.org/2000/svg";
const HUES = ["orange", "purple", "blue", "vermillion", "green", "grey"];
const HEIGHT = 190, LEFT = 46, RIGHT = 8, TOP = 18, BOTTOM = 20;
const DASHES = ["", "6 4", "2 3"];

export function hueOf(names, name) {
  return `var(--${HUES[names.indexOf(name) % HUES.length]})`;
}

export function shown(value) {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  const digits = Math.abs(value) < 10 && !Number.isInteger(value) ? 2 : 0;
  return value.toLocaleString("en", { maximumFractionDigits: digits });
}

function node(name, attributes, text) {
  const made = document.createElementNS(SPACE, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

function ceiling(value) {
  const step = 10 ** Math.floor(Math.log10(Math.max(value, 1)));
  return [1, 2, 5, 10].map((each) => each * step).find((each) => each >= value) ?? 10 * step;
}

export class Chart {
  // series: [{label, hue, of: (point, before) => number or null}]
  constructor(parent, title, unit, series) {
    Object.assign(this, { title, unit, series });
    const figure = document.createElement("figure");
    figure.className = "chart";
    const caption = document.createElement("figcaption");
    const heading = document.createElement("h3");
    heading.textContent = title;
    const keys = document.createElement("ul");
    keys.className = "keys";
    this.values = series.map(({ label, hue }) => {
      const item = document.createElement("li"), mark = document.createElement("i");
      const value = document.createElement("span");
      mark.style.color = `var(--${hue})`;
      item.append(mark, `${label} `, value);
      keys.append(item);
      return value;
    });
    caption.append(heading, keys);
    this.svg = node("svg", { role: "img", "aria-label": title });
    figure.append(caption, this.svg);
    parent.append(figure);
  }

  draw(points, faults, names, at) {
    const width = this.svg.clientWidth || 400;
    this.svg.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`);
    const first = points.length ? points[0].at_s : 0;
    const last = points.length ? Math.max(points.at(-1).at_s, first + 10) : first + 10;
    const values = this.series.map(({ of }) => points.map((point, index) => of(point, points[index - 1])));
    const most = Math.max(0, ...values.map((each) => each.reduce((a, b) => Math.max(a, b ?? 0), 0)));
    const top = ceiling(most);
    const x = (seconds) => LEFT + ((seconds - first) / (last - first)) * (width - LEFT - RIGHT);
    const y = (value) => HEIGHT - BOTTOM - (value / top) * (HEIGHT - TOP - BOTTOM);
    const parts = [];
    for (const fault of faults.filter((each) => each.start_s !== null)) {
      const from = Math.max(x(fault.start_s), LEFT), to = Math.min(x(fault.end_s ?? points.at(-1)?.at_s ?? first), width - RIGHT);
      if (to < LEFT) continue;
      const hue = hueOf(names, fault.name);
      parts.push(node("rect", { x: from, y: TOP, width: Math.max(to - from, 2), height: HEIGHT - TOP - BOTTOM,
        style: `fill:${hue};fill-opacity:.2`, "data-fault": fault.name }));
      parts.push(node("text", { x: Math.min(from + 2, width - 60), y: 12, class: "named" }, fault.name));
    }
    for (const value of [0, top / 2, top]) {
      parts.push(node("line", { x1: LEFT, x2: width - RIGHT, y1: y(value), y2: y(value), style: "stroke:var(--rule)" }));
      parts.push(node("text", { x: LEFT - 5, y: y(value) + 4, "text-anchor": "end" }, shown(value)));
    }
    for (const [seconds, anchor] of [[first, "start"], [(first + last) / 2, "middle"], [last, "end"]]) {
      parts.push(node("text", { x: x(seconds), y: HEIGHT - 5, "text-anchor": anchor }, `${shown(Math.round(seconds))} s`));
    }
    this.series.forEach(({ hue }, number) => {
      // At most two points a pixel are seen: of each pixel its largest value is drawn.
      const seen = new Map();
      points.forEach((point, index) => {
        const value = values[number][index], pixel = Math.round(x(point.at_s));
        if (value !== null && value >= (seen.get(pixel) ?? 0)) seen.set(pixel, value);
      });
      const path = [...seen].map(([pixel, value], index) => `${index ? "L" : "M"}${pixel} ${y(value).toFixed(1)}`);
      parts.push(node("path", { d: path.join(""), style: `fill:none;stroke:var(--${hue});stroke-width:2`,
        "stroke-dasharray": DASHES[number] ?? "" }));
    });
    const index = at ?? points.length - 1;
    if (at !== null && points[at]) {
      parts.push(node("line", { x1: x(points[at].at_s), x2: x(points[at].at_s), y1: TOP, y2: HEIGHT - BOTTOM, style: "stroke:var(--ink)" }));
    }
    const told = this.series.map(({ label }, number) => {
      const text = `${shown(values[number][index])} ${this.unit}`;
      this.values[number].textContent = text;
      return `${label} ${text}`;
    });
    const broken = faults.filter((each) => each.start_s !== null).map((each) => each.summary);
    this.svg.setAttribute("aria-label", `${this.title}: ${told.join(", ")}. Faults: ${broken.join("; ") || "none"}.`);
    this.svg.replaceChildren(...parts);
  }
}
