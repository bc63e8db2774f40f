// Enhancements only: every page works without this file.
(() => {
  "use strict";

  // A button to look at what was typed. Its words come with the field, in the page's language.
  for (const input of document.querySelectorAll("input[data-show]")) {
    const toggle = document.createElement("button");
    toggle.type = "button";
    toggle.className = "reveal";
    toggle.setAttribute("aria-controls", input.id);
    const conceal = (concealed) => {
      const words = input.dataset;
      input.type = concealed ? "password" : "text";
      toggle.textContent = concealed ? words.show : words.hide;
      toggle.setAttribute("aria-label", concealed ? words.showLabel : words.hideLabel);
    };
    toggle.addEventListener("click", () => conceal(input.type === "text"));
    conceal(true);
    input.parentElement.classList.add("has-reveal");
    input.after(toggle);
    // Password managers look for a password field when the form is sent.
    input.form.addEventListener("submit", () => conceal(true));
  }

  // A second press while the first is on its way changes nothing; coming back makes the form usable again.
  const sent = new Set();
  document.addEventListener("submit", (event) => {
    if (sent.has(event.target)) event.preventDefault();
    sent.add(event.target);
    event.target.setAttribute("aria-busy", "true");
  });
  addEventListener("pageshow", () => {
    for (const form of sent) form.removeAttribute("aria-busy");
    sent.clear();
  });
})();
