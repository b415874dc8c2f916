// The keys of the page work wherever the focus is: in the comment, and on a button that Tab came to. A comment that was
// typed goes with a skip, not only with an answer.
(() => {
  const MOST_WAIT = 1000; // ms
  const isComment = (element) => element.matches?.(".gm-comment input, .gm-comment textarea");
  const isButton = (element) => element.matches?.(".gm-page input[type=radio], .gm-page input[type=checkbox]");
  const leaves = (event) =>
    (event.key === "Enter" && (event.ctrlKey || event.metaKey)) || (event.code === "Space" && event.ctrlKey);
  const chooses = (event) => /^\S$/.test(event.key) && !event.ctrlKey && !event.metaKey && !event.altKey;

  // Label Studio keeps the text when its form is sent, and then takes the field away.
  const keep = (field) => {
    if (field.form && field.value.trim()) field.form.requestSubmit();
  };
  const kept = async (field) => {
    const end = performance.now() + MOST_WAIT;
    while (field.isConnected && field.value.trim() && performance.now() < end) await new Promise(requestAnimationFrame);
  };
  // Label Studio hears the keys of the page only if no field has the focus.
  const press = ({ key, code, keyCode, ctrlKey, metaKey, shiftKey }) => {
    const pressed = { key, code, keyCode, ctrlKey, metaKey, shiftKey, bubbles: true };
    document.body.dispatchEvent(new KeyboardEvent("keydown", pressed));
  };

  window.addEventListener(
    "keydown",
    async (event) => {
      const field = event.target;
      const inComment = isComment(field) && leaves(event);
      if (!inComment && !(isButton(field) && (leaves(event) || chooses(event)))) return;
      event.preventDefault();
      event.stopImmediatePropagation();
      if (inComment) {
        field.blur();
        await kept(field);
      }
      press(event);
    },
    true,
  );
  window.addEventListener("focusout", (event) => isComment(event.target) && keep(event.target), true);
})();
