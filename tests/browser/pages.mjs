// The collector's pages in Chromium. Exit 0: all is well; 1: what is not is printed, one line each.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { chromium } from "playwright-core";

const url = process.env.AFFIANT_URL.replace(/\/$/, "");
const user = process.env.AFFIANT_USER ?? "admin";
const password = process.env.AFFIANT_PASSWORD;
const shots = process.env.AFFIANT_SHOTS;
const problems = [];
const problem = (where, what) => problems.push(`${where}: ${what}`);

const variants = [
  { name: "desktop-light", viewport: { width: 1280, height: 900 }, colorScheme: "light", javaScriptEnabled: true },
  { name: "desktop-dark", viewport: { width: 1280, height: 900 }, colorScheme: "dark", javaScriptEnabled: true },
  { name: "phone-light", viewport: { width: 390, height: 844 }, colorScheme: "light", javaScriptEnabled: true, isMobile: true },
  { name: "phone-dark", viewport: { width: 390, height: 844 }, colorScheme: "dark", javaScriptEnabled: true, isMobile: true },
  { name: "no-javascript", viewport: { width: 1280, height: 900 }, colorScheme: "light", javaScriptEnabled: false },
];

// Where each kind of page is found: by a link of that form on the page before.
const walk = [
  ["overview", "/", null],
  ["hosts", "/hosts", null],
  ["host", "/hosts", /^\/hosts\/[a-z0-9-]+$/],
  ["finding", null, /^\/hosts\/[a-z0-9-]+\/findings\/[a-z0-9-]+$/],
  ["facts", null, /^\/facts\/[0-9a-f]{64}$/],
  ["control", "/", /^\/controls\/A\.8\.24$/],
  ["control-not-evidenced", "/", /^\/controls\/A\.5\.1$/],
  ["coverage", "/coverage", null],
  ["rules", "/rules", null],
  ["rule", null, /^\/rules\/[a-z0-9-]+$/],
  ["log", "/entries", null],
  ["statement", null, /^\/entries\/[0-9]+$/],
  ["place", null, /^\/entries\/[0-9]+\/place$/],
];

async function links(page) {
  const found = await page.locator("a[href]").evaluateAll((all) => all.map((a) => a.getAttribute("href")));
  return found.map((href) => href.split("#")[0]);
}

async function check(page, where) {
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  if (wide > 0) problem(where, `the page is ${wide} px wider than the screen`);
  const headings = await page.locator("h1").count();
  if (headings !== 1) problem(where, `${headings} first headings, 1 expected`);
  const unnamed = await page.locator("button, a[href]").evaluateAll((all) => all
    .filter((e) => e.tabIndex >= 0 && !(e.textContent.trim() || e.getAttribute("aria-label")))
    .map((e) => e.outerHTML.slice(0, 80)));
  for (const html of unnamed) problem(where, `no name: ${html}`);
}

async function keep(page, variant, name) {
  if (!shots) return;
  mkdirSync(shots, { recursive: true });
  await page.screenshot({ path: join(shots, `${name}.${variant.name}.png`), fullPage: true });
}

async function login(page, secret) {
  await page.fill("input[name=name]", user);
  await page.fill("input[name=password]", secret);
  await page.click("button.primary");
}

async function visit(browser, variant) {
  const { name, ...options } = variant;
  const context = await browser.newContext({ ...options, ignoreHTTPSErrors: true });
  const page = await context.newPage();
  let where = name;
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) problem(where, `console: ${message.text()}`);
  });
  page.on("pageerror", (error) => problem(where, `error: ${error.message}`));
  page.on("requestfailed", (request) => {
    // The browser gives up what a page no longer needs when it goes to the next one.
    const why = request.failure()?.errorText;
    if (why !== "net::ERR_ABORTED") problem(where, `request failed: ${request.url()}: ${why}`);
  });
  page.on("response", (response) => {
    if (response.status() >= 400) problem(where, `${response.status()} ${response.url()}`);
    const policy = response.headers()["content-security-policy"] ?? "";
    if (!policy.includes("default-src 'none'")) problem(where, `no policy: ${response.url()}`);
  });

  // A page asked for without a session leads to the login and back.
  where = `${name} login`;
  await page.goto(`${url}/hosts`);
  if (new URL(page.url()).pathname !== "/login") problem(where, `expected the login, found ${page.url()}`);
  await check(page, where);
  await keep(page, variant, "login");
  await login(page, password);
  await page.waitForURL(`${url}/hosts`);

  for (const [kind, from, form] of walk) {
    where = `${name} ${kind}`;
    if (from) await page.goto(url + from);
    if (form) {
      const target = (await links(page)).find((href) => form.test(href));
      if (!target) {
        problem(where, `no link like ${form} on ${page.url()}`);
        continue;
      }
      await page.goto(url + target);
    }
    await check(page, where);
    await keep(page, variant, kind);
  }

  // By keyboard: the first thing that gets the focus leads past the navigation.
  where = `${name} keyboard`;
  await page.goto(`${url}/`);
  await page.keyboard.press("Tab");
  const first = await page.evaluate(() => document.activeElement?.className);
  if (first !== "skip") problem(where, `the first focus is on ${first}, the skip link expected`);

  where = `${name} logout`;
  await page.goto(`${url}/hosts`);
  await page.click("form.who button");
  await page.waitForURL(`${url}/login`);
  await page.goto(`${url}/`);
  if (new URL(page.url()).pathname !== "/login") problem(where, "still logged in after the logout");
  await context.close();
}

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
});
try {
  for (const variant of variants) await visit(browser, variant);
} finally {
  await browser.close();
}
for (const line of problems) console.error(line);
console.log(problems.length === 0 ? `${variants.length * (walk.length + 3)} page visits, no problem` : `${problems.length} problems`);
process.exit(problems.length === 0 ? 0 : 1);
