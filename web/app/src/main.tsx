import "./styles/tokens.css";
import "./styles/page.css";
import "./styles/board.css";
import "./styles/dialog.css";
import { Client, IndexedDbStore } from "@boardcast/client";
import { createRoot } from "react-dom/client";
import { AccountPage } from "./account/AccountPage.js";
import { Pages } from "./Pages.js";
import { routeOf } from "./route.js";
import { account, arrive, token } from "./session.js";

const root = createRoot(document.getElementById("root") as HTMLElement);
const route = routeOf(location.pathname);

if (route.page === "account") {
  root.render(<AccountPage name={route.name} />);
} else if (await arrive()) {
  const tabToken = token();
  const client = await Client.open({
    url: location.origin,
    account: account(),
    store: new IndexedDbStore(),
    agent: "web",
    ...(tabToken && { token: tabToken }),
  });
  root.render(<Pages client={client} />);
} else {
  location.replace("/sign-in");
}
