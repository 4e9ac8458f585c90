// Keeps the page as the logs are: asks for its live part again and exchanges the sections, and the footer, that differ.
"use strict";
(() => {
  const EVERY_MS = 2000;
  const live = document.getElementById("live");
  const state = document.getElementById("state");
  const say = (text) => {
    if (state.textContent !== text) state.textContent = text;
  };
  const show = (text) => {
    const fresh = new DOMParser().parseFromString(text, "text/html");
    for (const section of fresh.querySelectorAll("section, footer")) {
      const shown = document.getElementById(section.id);
      if (!shown || shown.innerHTML === section.innerHTML) continue;
      const at = shown.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
      shown.innerHTML = section.innerHTML;
      if (at) shown.querySelector(`a[href="${CSS.escape(at)}"]`)?.focus({ preventScroll: true });
    }
  };
  const look = async () => {
    if (document.visibilityState === "visible") {
      try {
        const answer = await fetch("/console/live", { cache: "no-cache" });
        if (!answer.ok) throw new Error(String(answer.status));
        show(await answer.text());
        say("live");
      } catch {
        say("no answer: shown as it was; asking again");
      }
    }
    setTimeout(look, EVERY_MS);
  };
  if (live) setTimeout(look, EVERY_MS);
})();
