// The key = lets the two responses scroll together, each to the same share of its length; = again lets each scroll alone.
(() => {
  let together = false;
  const other = (box) => {
    const side = box.closest(".gm-a") ? ".gm-b" : ".gm-a";
    return document.querySelector(`${side} .gm-response`);
  };
  const share = (box) => box.scrollTop / Math.max(1, box.scrollHeight - box.clientHeight);
  document.addEventListener("keydown", (event) => {
    const writing = event.target.closest && event.target.closest("input:not([type=radio], [type=checkbox]), textarea");
    if (event.key !== "=" || writing || event.ctrlKey || event.altKey || event.metaKey) return;
    together = !together;
    document.documentElement.toggleAttribute("data-scroll-together", together);
  });
  document.addEventListener("scroll", (event) => {
    const box = event.target;
    if (!together || !box.matches || !box.matches(".gm-a .gm-response, .gm-b .gm-response")) return;
    const partner = other(box);
    const wanted = partner && share(box) * (partner.scrollHeight - partner.clientHeight);
    if (partner && Math.abs(partner.scrollTop - wanted) > 2) partner.scrollTop = wanted;
  }, true);
})();
