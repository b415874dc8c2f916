// What Label Studio's own markup cannot do for the page; the page also works without this script.
(() => {
  const shown = (element) => element.offsetParent !== null;
  const isField = (element) => /^(INPUT|TEXTAREA|SELECT)$/.test(element?.tagName ?? "");

  // A key chooses a risk only where its button is shown: Label Studio binds the keys of hidden buttons too.
  const hasHiddenButton = (key) =>
    [...document.querySelectorAll(".gm-risks label")].some(
      (label) => label.querySelector(".lsf-hint")?.textContent === `[${key}]` && !shown(label),
    );

  // Behind an open dialog, such as the guidelines on the first visit, Label Studio's keys would vote, submit and skip,
  // and a button that still has the focus would take Enter and Space. Only Escape reaches Label Studio.
  const isBehindDialog = ({ key, target }) => {
    const dialog = document.querySelector(".lsf-modal-ls");
    if (!dialog || key === "Escape") return false;
    if (!dialog.contains(target)) target.blur?.();
    return true;
  };

  window.addEventListener(
    "keydown",
    (event) => {
      const hidden = !isField(event.target) && hasHiddenButton(event.key.toLowerCase());
      if (isBehindDialog(event) || hidden) event.stopImmediatePropagation();
    },
    true,
  );

  // Screen readers hear each question as a group of its own, with its name.
  const name = (group, role, label) => {
    if (group.getAttribute("role") === role && group.getAttribute("aria-label") === label) return;
    group.setAttribute("role", role);
    group.setAttribute("aria-label", label);
  };
  const nameGroups = () => {
    const question = document.querySelector(".gm-question h3")?.textContent;
    for (const group of document.querySelectorAll(".gm-scale .lsf-choices")) name(group, "radiogroup", question ?? "");
    const refusal = document.querySelector(".gm-refusal h4")?.textContent;
    for (const group of document.querySelectorAll(".gm-refusal .lsf-choices")) name(group, "radiogroup", refusal ?? "");
    for (const group of document.querySelectorAll(".gm-report .lsf-choices")) name(group, "group", "Report a problem");
    for (const side of ["A", "B"]) {
      const own = `.gm-${side.toLowerCase()}`;
      for (const group of document.querySelectorAll(`${own} .gm-safety .lsf-choices`))
        name(group, "radiogroup", `Is response ${side} safe?`);
      for (const group of document.querySelectorAll(`${own} .gm-risks .lsf-choices`))
        name(group, "group", `Risks of response ${side}`);
    }
  };
  new MutationObserver(nameGroups).observe(document, { childList: true, subtree: true });
})();
