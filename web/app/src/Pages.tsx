import { type Client, QueueFull, TooLarge } from "@boardcast/client";
import { lazy, Suspense, useEffect } from "react";
import { BoardsPage } from "./BoardsPage.js";
import { BoardPage } from "./board/BoardPage.js";
import { ProvideClient } from "./live.js";
import { routeOf, usePath } from "./route.js";
import { failure } from "./text/refusals.js";
import { Told, tell } from "./told.js";

const AdminPage = lazy(() => import("./admin/AdminPage.js"));
const MePage = lazy(() => import("./account/MePage.js"));

/** The page that the address names; `shown` is called once it is there. */
export function Pages({ client, shown }: { client: Client; shown(): void }) {
  const route = routeOf(usePath());
  useEffect(listenForTooMuch, []);
  useEffect(shown, [shown]);
  return (
    <ProvideClient value={client}>
      {route.page === "board" ? (
        <BoardPage key={route.board} id={route.board} card={route.card} />
      ) : route.page === "admin" ? (
        <Suspense>
          <AdminPage part={route.part} />
        </Suspense>
      ) : route.page === "me" ? (
        <Suspense>
          <MePage />
        </Suspense>
      ) : (
        <BoardsPage />
      )}
      {route.page !== "board" && <Told />}
    </ProvideClient>
  );
}

/** Says of a change that the client does not take, wherever it was made, that it was not made. */
function listenForTooMuch(): () => void {
  const failed = (event: ErrorEvent) => {
    const { error } = event;
    if (!(error instanceof QueueFull || error instanceof TooLarge)) return;
    event.preventDefault();
    tell(failure(error));
  };
  addEventListener("error", failed);
  return () => removeEventListener("error", failed);
}
