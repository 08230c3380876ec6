"use strict";
const parts = [...document.querySelectorAll("[data-part]")];
const patterns = [...document.querySelectorAll("details[data-touches]")];
const status = document.querySelector("[role=status]");

// Marks the parts that a pattern touches; without a pattern, none.
function show(pattern) {
  const touches = new Map(pattern ? pattern.dataset.touches.split(" ").map((touch) => touch.split("=")) : []);
  for (const part of parts) {
    const access = touches.get(part.dataset.part);
    if (access) part.dataset.access = access.replace("+", ", ");
    else delete part.dataset.access;
  }
  for (const other of patterns) other.classList.toggle("shown", other === pattern);
  const chips = pattern ? [...pattern.querySelectorAll(".chips li")].map((chip) => chip.textContent) : [];
  status.textContent = pattern
    ? `${pattern.querySelector(".name").textContent} · ${chips.join(" · ")}`
    : "No pattern is chosen.";
}

// Shows the pattern that the pointer or the focus has reached last, else the open one.
let reached;
const update = () => show(reached ?? patterns.find((pattern) => pattern.open));
const reach = (pattern) => {
  reached = pattern;
  update();
};
const leave = () => reach(patterns.find((pattern) => pattern.contains(document.activeElement)));
for (const pattern of patterns) {
  // Unlike `mouseenter`, `mousemove` does not come when the list moves below a resting pointer.
  for (const event of ["mousemove", "focusin"]) {
    pattern.addEventListener(event, () => reached === pattern || reach(pattern));
  }
  for (const event of ["mouseleave", "focusout"]) pattern.addEventListener(event, leave);
  pattern.addEventListener("toggle", update);
}

// Draws the arrows of the steps 2 and 5, over the places where the items are now.
const arrows = document.querySelector(".arrows");
const places = document.querySelector(".places");
function element(name, attributes) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return arrows.appendChild(made);
}
function arrow(from, to, number) {
  if (!from || !to) return;
  const origin = places.getBoundingClientRect();
  const [a, b] = [from.getBoundingClientRect(), to.getBoundingClientRect()];
  const [x1, y1] = [a.right - origin.left, a.top + a.height / 2 - origin.top];
  const isBeside = b.left > a.right;
  const [x2, y2] = [(isBeside ? b.left - 3 : b.right + 3) - origin.left, b.top + b.height / 2 - origin.top];
  const bulge = isBeside ? (x2 - x1) / 2 : origin.width > 600 ? 44 : number === 2 ? 14 : 28;
  const [c1, c2] = isBeside ? [x1 + bulge, x2 - bulge] : [x1 + bulge, x1 + bulge];
  const path = element("path", { class: "arrow", d: `M${x1} ${y1}C${c1} ${y1} ${c2} ${y2} ${x2} ${y2}` });
  const [dx, dy] = [isBeside ? -7 : 7, 4];
  element("path", { class: "head", d: `M${x2} ${y2}l${dx} ${-dy}v${2 * dy}z` });
  if (!number) return;
  const middle = path.getPointAtLength(path.getTotalLength() / 2);
  element("circle", { cx: middle.x, cy: middle.y, r: 10 });
  element("text", { x: middle.x, y: middle.y + 4 }).textContent = number;
}
function draw() {
  arrows.replaceChildren();
  arrow(document.getElementById("sent"), document.getElementById("members"), 2);
  const entries = [...document.querySelectorAll("tr[id^=t-]")].map((entry) => [
    entry,
    document.getElementById(entry.id.replace("t-", "i-")),
  ]);
  const [[from, to], ...others] = entries;
  arrow(from, to, 5);
  // In one column, the other arrow would lie on the first one.
  if (places.clientWidth > 600) others.forEach(([from, to]) => arrow(from, to));
}
new ResizeObserver(draw).observe(places);
