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

const open = async () => {
  const bearer = token();
  const client = await Client.open({
    url: location.origin + at(""),
    account: account(),
    store: new IndexedDbStore(undefined, undefined, undefined, `boardcast${BASE}`),
    agent: "web",
    ...(bearer && { token: bearer }),
  });
  // The board is asked for in the first message, before there is a page that shows it.
  const asked = routeOf(within(location.pathname));
  const board = asked.page === "board" ? client.board(asked.board) : undefined;
  return { client, shown: () => board?.close() };
};
// Whoever was here before is in all likelihood signed in still: the connection waits for no answer.
const known = route.page !== "account" && location.hash === "" && account() !== "";
const opening = known ? open() : undefined;
await speak();
const arrived = route.page === "account" ? undefined : await arrive();
listenForLinks();

if (arrived !== "in") void opening?.then(({ client }) => client.close());
if (route.page === "account") {
  root.render(<AccountPage name={route.name} />);
} else if (arrived === "in") {
  const invited = await acceptInvitation();
  if (invited.board) history.replaceState(null, "", at(`/b/${invited.board}`));
  if (invited.refused) tell(t.share.refused(invited.refused));
  const { client, shown } = await (opening ?? open());
  root.render(<Pages client={client} shown={shown} />);
  keepPage(client);
} else if (arrived === "refused") {
  history.replaceState(null, "", at("/sign-in"));
  root.render(<AccountPage name="sign-in" notice={t.account.linkRefused} />);
} else {
  location.replace(at("/sign-in"));
}
