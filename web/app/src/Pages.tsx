import type { Client } from "@boardcast/client";
import { BoardsPage } from "./BoardsPage.js";
import { BoardPage } from "./board/BoardPage.js";
import { ProvideClient } from "./live.js";
import { routeOf, usePath } from "./route.js";

/** The page that the address names. */
export function Pages({ client }: { client: Client }) {
  const route = routeOf(usePath());
  return (
    <ProvideClient value={client}>
      {route.page === "board" ? (
        <BoardPage key={route.board} id={route.board} card={route.card} />
      ) : (
        <BoardsPage />
      )}
    </ProvideClient>
  );
}
