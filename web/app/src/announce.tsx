// Tells those who do not see it what has happened.

/** Has a screen reader say a text. */
export function announce(text: string): void {
  const place = document.getElementById("announcer");
  if (place) place.textContent = text;
}

/** Where such texts are said. */
export function Announcer() {
  return <div id="announcer" className="unseen" aria-live="assertive" />;
}
