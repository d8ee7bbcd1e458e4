// What a report promises to a browser, checked in a browser: check.mjs FILE…
// One line per file; exits with 1 when a promise is broken.
import { readFileSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";

const LIMITS = { bytes: 250_000, hostileBytes: 400_000, textWithoutScript: 2_000, labelPx: 10, pages: 6 };
const PHONE = { width: 390, height: 844 };
const DESK = { width: 1280, height: 900 };
// Rules about pages and rules about good practice, not only the standard's.
const AXE_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

const axeSource = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const files = process.argv.slice(2);
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM || "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--no-first-run"],
});
let broken = 0;
for (const file of files) {
  const problems = await problemsOf(file);
  broken += problems.length;
  console.log(`${problems.length ? "FAIL" : "ok  "} ${file}`);
  for (const problem of problems) console.log(`     ${problem}`);
}
await browser.close();
process.exit(broken ? 1 : 0);

async function problemsOf(file) {
  const problems = [];
  const url = pathToFileURL(resolve(file)).href;
  const hostile = /hostile/.test(file);
  const bytes = statSync(file).size;
  const limit = hostile ? LIMITS.hostileBytes : LIMITS.bytes;
  if (bytes > limit) problems.push(`size: ${bytes} bytes, at most ${limit}`);
  for (const scheme of ["light", "dark"]) {
    await inPage({ viewport: DESK, colorScheme: scheme }, url, problems, async (page) => {
      await openAll(page);
      problems.push(...await axe(page, `${scheme} ${DESK.width} px`));
    });
  }
  await inPage({ viewport: PHONE, hasTouch: true, isMobile: true }, url, problems, async (page) => {
    problems.push(...await sideways(page, "folded"));
    await openAll(page);
    problems.push(...await sideways(page, "unfolded"), ...await smallLabels(page));
    problems.push(...await axe(page, `light ${PHONE.width} px`));
  });
  await inPage({ viewport: DESK, javaScriptEnabled: false }, url, problems, async (page) => {
    // Folded text counts: it opens without a script.
    const length = (await page.locator("main").textContent()).length;
    // A report on no data has little to say, but it must say that.
    const least = /empty|cannot-tell/.test(file) ? 400 : LIMITS.textWithoutScript;
    if (length < least) problems.push(`without JavaScript: ${length} characters, at least ${least}`);
  });
  await inPage({ viewport: DESK }, url, problems, async (page) => {
    const pdf = (await page.pdf({ format: "A4", preferCSSPageSize: true, printBackground: true })).toString("latin1");
    const pages = pdf.match(/\/Type\s*\/Page\b/g)?.length ?? 0;
    if (!hostile && (pages < 1 || pages > LIMITS.pages)) problems.push(`print: ${pages} pages, at most ${LIMITS.pages}`);
    const added = await page.evaluate(() => typeof window.X);
    if (added !== "undefined") problems.push("hostile text ran: window.X is defined");
    problems.push(...await script(page));
  });
  return problems;
}

/// Opens a page in a context of its own; requests, errors and dialogs are problems.
async function inPage(options, url, problems, look) {
  const context = await browser.newContext({ ...options, offline: true });
  const page = await context.newPage();
  page.on("request", (request) => {
    const asked = request.url();
    if (asked !== url && !asked.startsWith("data:")) problems.push(`request: ${asked.slice(0, 120)}`);
  });
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) problems.push(`console: ${message.text().slice(0, 200)}`);
  });
  page.on("pageerror", (error) => problems.push(`error: ${String(error).slice(0, 200)}`));
  page.on("dialog", (dialog) => { problems.push(`dialog: ${dialog.message()}`); dialog.dismiss(); });
  await page.goto(url);
  await look(page);
  await context.close();
}

async function openAll(page) {
  await page.evaluate(() => document.querySelectorAll("details").forEach((at) => { at.open = true; }));
}

async function axe(page, where) {
  await page.evaluate(axeSource);
  const result = await page.evaluate((tags) => window.axe.run(document, { runOnly: tags }), AXE_TAGS);
  return result.violations.map((rule) =>
    `axe, ${where}: ${rule.id} (${rule.nodes.length}×) ${rule.nodes[0].html.slice(0, 120)} ${(rule.nodes[0].failureSummary || "").replace(/\s+/g, " ").slice(0, 200)}`);
}

async function sideways(page, state) {
  const widths = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  if (widths[0] <= PHONE.width && widths[1] <= PHONE.width) return [];
  const culprit = await page.evaluate((width) => {
    const wide = [...document.querySelectorAll("body *")].filter((at) => at.getBoundingClientRect().right > width + 1);
    return wide.at(-1)?.outerHTML.slice(0, 120);
  }, PHONE.width);
  return [`phone, ${state}: page is ${Math.max(...widths)} px wide: ${culprit}`];
}

/// Text as drawn: the font size times the scale of the drawing it stands in.
async function smallLabels(page) {
  const smallest = await page.evaluate(() => {
    let found = { px: Infinity };
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      const at = node.parentElement;
      if (!node.data.trim() || at.closest("script,title,desc") || !at.getClientRects().length) continue;
      const scale = at instanceof SVGElement ? at.getScreenCTM().a : 1;
      const px = parseFloat(getComputedStyle(at).fontSize) * scale;
      if (px < found.px) found = { px, text: node.data.trim().slice(0, 40) };
    }
    return found;
  });
  return smallest.px < LIMITS.labelPx ? [`phone: ${smallest.px.toFixed(1)} px text: ${smallest.text}`] : [];
}

/// Theme, sorting and filtering do what they say.
async function script(page) {
  const problems = [];
  await page.locator("nav button").click();
  if (!await page.evaluate(() => document.documentElement.dataset.theme)) problems.push("theme button does nothing");
  const sorter = page.locator("table.routes thead button").first();
  if (await sorter.count()) {
    await page.evaluate(() => document.querySelectorAll("details").forEach((at) => { at.open = true; }));
    await sorter.click();
    if (!await page.locator("th[aria-sort]").count()) problems.push("sorting does nothing");
    await page.locator(".tools input").fill("no such route");
    if (await page.locator("table.routes tbody tr:visible").count()) problems.push("filter hides nothing");
  }
  return problems;
}
