import { useClient } from "../live.js";
import { leave } from "../session.js";
import { t } from "../text/index.js";
import { tell } from "../told.js";

/** Ends the session, and forgets the boards that were kept here. */
export function SignOut() {
  const client = useClient();
  async function signOut() {
    await client.forgetViews();
    await leave().catch(() => tell(t.account.notSignedOut));
  }
  return (
    <button type="button" className="quiet" onClick={() => void signOut()}>
      {t.account.signOut}
    </button>
  );
}
