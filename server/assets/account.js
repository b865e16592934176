// Signs somebody in, makes the first administrator, or sets a password: which one the path says.

const PAGES = {
  "first-start": { title: "Make the first administrator", to: "/api/v1/first-start", fresh: true },
  password: { title: "Set a password", to: "/api/v1/password", fresh: true },
  "sign-in": { title: "Sign in", to: "/api/v1/sessions", fresh: false },
};

/** Where the server is found, without a slash at its end. */
const base = document.querySelector("meta[name=boardcast-base]").content.slice(0, -1);
const name = location.pathname.split("/").pop();
const page = PAGES[name];
const form = document.getElementById("form");
const told = document.getElementById("told");
const link = location.hash.match(/link=([A-Za-z0-9_-]+)/)?.[1];

document.getElementById("title").textContent = page.title;
for (const label of form.querySelectorAll("label")) {
  if (!label.dataset.on.split(" ").includes(name)) label.remove();
}
const password = form.elements.password;
password.autocomplete = page.fresh ? "new-password" : "current-password";
if (page.fresh) password.minLength = 10;
if (page.fresh && !link) told.textContent = "This page is opened by a link; ask an administrator for one.";

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const body = Object.fromEntries(new FormData(form));
  if (page.fresh) body.link = link ?? "";
  const button = document.getElementById("submit");
  button.disabled = true;
  told.textContent = "";
  try {
    const answer = await fetch(base + page.to, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    if (answer.ok) {
      sessionStorage.removeItem("token");
      location.replace(`${base}/`);
      return;
    }
    told.textContent = (await answer.json()).detail;
  } catch {
    told.textContent = "The server cannot be reached; try again.";
  }
  button.disabled = false;
});
