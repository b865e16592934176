// A server that is found below a path of its host, as behind a proxy that serves other things too.
import { afterAll, beforeAll, expect, test } from "vitest";
import { Site } from "./site.js";

let site: Site;
beforeAll(async () => {
  site = await Site.start("/team/boards");
});
afterAll(() => site.stop());

test("pages, files, requests, sockets and the cookie stay below the path", async () => {
  const page = await site.stranger();
  const asked = new Set<string>();
  page.on("request", (request) => asked.add(new URL(request.url()).pathname));
  page.on("websocket", (socket) => asked.add(new URL(socket.url()).pathname));

  await page.goto(site.url + site.server.firstStart);
  await page.getByLabel("Name").fill("Ann Lee");
  await page.getByLabel("E-mail").fill("ann@example.org");
  await page.getByLabel("Password").fill("a long password");
  await page.getByRole("button", { name: "Continue" }).click();
  await page.getByRole("heading", { name: "Boards" }).waitFor();
  expect(page.url()).toBe(`${site.url}/`);

  await page.getByLabel("Title of the board").fill("Garden");
  await page.getByRole("button", { name: "New board" }).click();
  await page.locator(".connection").getByText("Saved", { exact: true }).waitFor();
  expect(page.url().startsWith(`${site.url}/b/`)).toBe(true);
  await page.reload();
  await page.getByRole("region", { name: "Doing" }).waitFor();

  expect([...asked].filter((path) => !path.startsWith("/team/boards/"))).toEqual([]);
  expect(asked).toContain("/team/boards/ws");
  const paths = (await page.context().cookies()).map(({ path }) => path);
  expect(paths).toEqual(["/team/boards"]);
  expect(await site.closePages()).toEqual([]);
});
