import "./styles/tokens.css";
import "./styles/page.css";
import "./styles/board.css";
import "./styles/dialog.css";
import "./styles/card.css";
import "./styles/fields.css";
import "./styles/files.css";
import "./styles/search.css";
import { Client, IndexedDbStore } from "@boardcast/client";
import { createRoot } from "react-dom/client";
import { AccountPage } from "./account/AccountPage.js";
import { at, BASE, within } from "./base.js";
import { keepPage } from "./offline/keep.js";
import { Pages } from "./Pages.js";
import { routeOf } from "./route.js";
import { acceptInvitation, account, arrive, listenForLinks, token } from "./session.js";
import { speak, t } from "./text/index.js";
import { tell } from "./told.js";

const root = createRoot(document.getElementById("root") as HTMLElement);
const route = routeOf(within(location.pathname));
await speak();
const arrived = route.page === "account" ? undefined : await arrive();
listenForLinks();

if (route.page === "account") {
  root.render(<AccountPage name={route.name} />);
} else if (arrived === "in") {
  const invited = await acceptInvitation();
  if (invited.board) history.replaceState(null, "", at(`/b/${invited.board}`));
  if (invited.refused) tell(t.share.refused(invited.refused));
  const tabToken = token();
  const client = await Client.open({
    url: location.origin + at(""),
    account: account(),
    store: new IndexedDbStore(undefined, undefined, undefined, `boardcast${BASE}`),
    agent: "web",
    ...(tabToken && { token: tabToken }),
  });
  root.render(<Pages client={client} />);
  keepPage(client);
} else if (arrived === "refused") {
  history.replaceState(null, "", at("/sign-in"));
  root.render(<AccountPage name="sign-in" notice={t.account.linkRefused} />);
} else {
  location.replace(at("/sign-in"));
}
