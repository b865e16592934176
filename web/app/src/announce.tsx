// Tells those who do not see it what has happened.

/** Has a screen reader say a text. */
export function announce(text: string): void {
  const place = document.getElementById("announcer");
  if (place) place.textContent = text;
}

/** Where such texts are said. */
export function Announcer() {
  // Dialogs hide what is outside them from screen readers, but for what is marked so.
  return <div id="announcer" className="unseen" aria-live="assertive" data-live-announcer="true" />;
}
