"use strict";
(() => {
  const search = document.getElementById("search");
  const none = document.getElementById("none");
  const buttons = [...document.querySelectorAll("button[data-filter]")];
  const items = [...document.querySelectorAll("[data-standing]")];
  document.querySelectorAll("[data-needs-script]").forEach((element) => { element.hidden = false; });

  function apply() {
    const chosen = buttons.filter((button) => button.getAttribute("aria-pressed") === "true");
    const standings = new Set(chosen.map((button) => button.dataset.filter));
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const item of items) {
      const fits = (!standings.size || standings.has(item.dataset.standing))
        && words.every((word) => item.dataset.text.includes(word));
      item.hidden = !fits;
      shown += fits ? 1 : 0;
    }
    none.hidden = shown > 0 || items.length === 0;
  }

  for (const button of buttons) {
    button.addEventListener("click", () => {
      const pressed = button.getAttribute("aria-pressed") === "true";
      button.setAttribute("aria-pressed", String(!pressed));
      apply();
    });
  }
  search.addEventListener("input", apply);
  // A filtered page is printed as it is shown, but nothing stays folded on paper.
  window.addEventListener("beforeprint", () => {
    document.querySelectorAll("details").forEach((element) => { element.open = true; });
  });
})();
