// Checks one output of the catalogue in Chromium, and prints what is wrong:
//
//   node scripts/validate.d/pages.mjs PLAYWRIGHT AXE MERMAID SHOTS html|mermaid|svg FILE
//
// The first three are the folders of the packages, which scripts/validate.d/pages installs.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

const [playwright, axeCore, mermaidFolder, shots, kind, file] = process.argv.slice(2);
const { chromium } = createRequire(import.meta.url)(resolve(playwright));
const wrong = [];

// Waits until the arrows are drawn.
const settled = (page) => page.evaluate(() => new Promise((done) => setTimeout(done, 200)));

async function open(browser, options) {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  page.on("console", (message) => wrong.push(`console: ${message.text()}`));
  page.on("pageerror", (error) => wrong.push(`script: ${error.message}`));
  page.on("request", (request) => {
    const isOwn = request.url().startsWith("data:") || request.url() === pathToFileURL(file).href;
    if (!isOwn) wrong.push(`request to ${request.url()}`);
  });
  await page.goto(pathToFileURL(file).href);
  return page;
}

const marked = (page) =>
  page.evaluate(() => [...document.querySelectorAll("tr[data-access]")].map((row) => row.dataset.part));

async function axe(page, name) {
  await page.evaluate(readFileSync(join(axeCore, "axe.min.js"), "utf8"));
  const { violations } = await page.evaluate(() => globalThis.axe.run());
  for (const { id, nodes } of violations) {
    wrong.push(`${name}: ${id}: ${nodes.slice(0, 3).map((node) => node.html.slice(0, 100)).join(" | ")}`);
  }
}

// Tab reaches each pattern, the focus shows what it touches, and Enter opens and closes it.
async function keyboard(page) {
  const names = await page.locator("details .name").allTextContents();
  if (names.length < 20) wrong.push(`${names.length} patterns are listed`);
  const reached = new Set();
  for (let press = 0; press < names.length + 5; press += 1) {
    await page.keyboard.press("Tab");
    const focused = () =>
      page.evaluate(() => {
        const details = document.activeElement.matches("summary") && document.activeElement.parentElement;
        if (!details) return null;
        const status = document.querySelector("[role=status]").textContent;
        const touches = details.dataset.touches.split(" ").map((touch) => touch.split("=")[0]);
        return { name: details.querySelector(".name").textContent, isOpen: details.open, touches, status };
      });
    const pattern = await focused();
    if (!pattern || reached.has(pattern.name)) continue;
    reached.add(pattern.name);
    const parts = new Set(await marked(page));
    const isShown = parts.size > 0 && [...parts].every((part) => pattern.touches.includes(part));
    if (!isShown || !pattern.status.startsWith(pattern.name)) wrong.push(`${pattern.name}: shows nothing`);
    if (parts.size !== pattern.touches.length) wrong.push(`${pattern.name}: shows ${parts.size} parts only`);
    for (const expected of [true, false]) {
      await page.keyboard.press("Enter");
      if ((await focused())?.isOpen !== expected) wrong.push(`${pattern.name}: Enter does not open or close it`);
    }
  }
  for (const name of names) if (!reached.has(name)) wrong.push(`${name}: Tab does not reach it`);
}

async function pointer(page) {
  const summary = page.locator("details", { hasText: "messages.send" }).first().locator("summary");
  await summary.hover();
  if ((await marked(page)).length === 0) wrong.push("messages.send: the pointer shows nothing");
  await summary.click();
  await page.mouse.move(0, 0);
  if ((await marked(page)).length === 0) wrong.push("messages.send: a click shows nothing");
}

async function html(browser) {
  for (const colorScheme of ["light", "dark"]) {
    const page = await open(browser, { colorScheme, viewport: { width: 1280, height: 900 }, reducedMotion: "reduce" });
    await settled(page);
    await page.screenshot({ path: join(shots, `${colorScheme}.png`), fullPage: true });
    await axe(page, colorScheme);
    await page.locator("summary", { hasText: "projector.advance" }).click();
    await settled(page);
    await page.screenshot({ path: join(shots, `${colorScheme}-open.png`) });
    await axe(page, colorScheme);
    if (colorScheme === "light") {
      const arrows = await page.locator(".arrows .arrow").count();
      if (arrows !== 3) wrong.push(`${arrows} arrows are drawn`);
      const moving = await page.evaluate(() =>
        [...document.querySelectorAll("*")].filter((one) => getComputedStyle(one).transitionDuration !== "0s").length,
      );
      if (moving > 0) wrong.push(`${moving} elements move in spite of prefers-reduced-motion`);
      await page.reload();
      await keyboard(page);
      await page.reload();
      await pointer(page);
    }
    await page.context().close();
  }
  for (const width of [320, 375, 800, 1280, 1920]) {
    const page = await open(browser, { viewport: { width, height: 800 } });
    // The longest pattern is open.
    for (const name of [null, "projector.rename", "audit.repair"]) {
      if (name) await page.locator("summary", { hasText: name }).click();
      await settled(page);
      const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      if (over > 0) wrong.push(`at ${width} px, the page scrolls horizontally by ${over} px`);
      if (width === 375) await page.screenshot({ path: join(shots, `375${name ? "-open" : ""}.png`), fullPage: true });
      if (width === 375 && !name) await axe(page, "375 px");
    }
    await page.context().close();
  }
}

async function mermaid(browser) {
  const page = await browser.newPage();
  await page.addScriptTag({ path: join(mermaidFolder, "dist/mermaid.min.js") });
  const diagrams = [...readFileSync(file, "utf8").matchAll(/```mermaid\n([\s\S]*?)```/g)].map((match) => match[1]);
  if (diagrams.length !== 2) wrong.push(`${diagrams.length} diagrams were found`);
  for (const [number, diagram] of diagrams.entries()) {
    try {
      const svg = await page.evaluate(async (text) => {
        await globalThis.mermaid.parse(text);
        return (await globalThis.mermaid.render("diagram", text)).svg;
      }, diagram);
      await page.setContent(svg);
      await page.screenshot({ path: join(shots, `mermaid-${number + 1}.png`), fullPage: true });
      const text = await page.evaluate(() => document.body.textContent);
      const expected = number === 0 ? "MSG#<group>" : "messages.send: 1 WCU per KB";
      if (!text.includes(expected)) wrong.push(`the diagram ${number + 1} lacks the text ${expected}`);
      await page.addScriptTag({ path: join(mermaidFolder, "dist/mermaid.min.js") });
    } catch (error) {
      wrong.push(`the diagram ${number + 1}: ${error.message}`);
    }
  }
}

// No text of the picture overlaps another text or leaves the picture.
async function svg(browser) {
  const page = await browser.newPage({ viewport: { width: 1000, height: 900 } });
  await page.setContent(`<body style="margin:0">${readFileSync(file, "utf8")}</body>`);
  await page.screenshot({ path: join(shots, "picture.png"), fullPage: true });
  const found = await page.evaluate(() => {
    const picture = document.querySelector("svg").getBoundingClientRect();
    const place = (text) => [text.textContent.trim(), text.getBoundingClientRect()];
    const texts = [...document.querySelectorAll("text")].map(place);
    const wrong = [];
    texts.forEach(([one, a], number) => {
      const isInside = a.left >= picture.left && a.right <= picture.right && a.bottom <= picture.bottom;
      if (!isInside) wrong.push(`${one} leaves the picture`);
      for (const [other, b] of texts.slice(number + 1)) {
        const isApart = a.right <= b.left || b.right <= a.left || a.bottom <= b.top + 2 || b.bottom <= a.top + 2;
        if (!isApart) wrong.push(`${one} overlaps ${other}`);
      }
    });
    return texts.length < 50 ? [`${texts.length} texts were found`] : wrong;
  });
  wrong.push(...found);
}

const profile = mkdtempSync(join(tmpdir(), "pages-"));
const browser = await chromium.launch({
  executablePath: "/usr/bin/chromium",
  args: [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    `--disk-cache-dir=${profile}`,
  ],
});
try {
  await { html, mermaid, svg }[kind](browser);
} finally {
  await browser.close();
  rmSync(profile, { recursive: true, force: true });
}
for (const line of new Set(wrong)) console.error(`${kind}: ${line}`);
process.exit(wrong.length > 0 ? 1 : 0);
