// The keys of the page work in the comment, too, and a comment that was typed goes with a skip, not only with an answer.
(() => {
  const MOST_WAIT = 1000; // ms
  const isComment = (element) => element.matches?.(".gm-comment input, .gm-comment textarea");
  const submits = (event) => event.key === "Enter" && (event.ctrlKey || event.metaKey);
  const skips = (event) => event.code === "Space" && event.ctrlKey;

  // Label Studio keeps the text when its form is sent, and then takes the field away.
  const keep = (field) => {
    if (field.form && field.value.trim()) field.form.requestSubmit();
  };
  const kept = async (field) => {
    const end = performance.now() + MOST_WAIT;
    while (field.isConnected && field.value.trim() && performance.now() < end) await new Promise(requestAnimationFrame);
  };

  window.addEventListener(
    "keydown",
    async (event) => {
      const field = event.target;
      if (!isComment(field) || !(submits(event) || skips(event))) return;
      event.preventDefault();
      event.stopImmediatePropagation();
      field.blur();
      await kept(field);
      const { key, code, keyCode, ctrlKey, metaKey } = event;
      document.body.dispatchEvent(new KeyboardEvent("keydown", { key, code, keyCode, ctrlKey, metaKey, bubbles: true }));
    },
    true,
  );
  window.addEventListener("focusout", (event) => isComment(event.target) && keep(event.target), true);
})();
