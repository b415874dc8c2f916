// Links of Label Studio's page lead to pages of the gate. Without this its script would draw pages of its own, which
// ask for what no annotator may see.
document.addEventListener("click", (event) => {
  const link = event.target.closest && event.target.closest("a[href]");
  if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey) return;
  const address = new URL(link.href, location.href);
  if (address.origin !== location.origin || address.hash || link.target === "_blank") return;
  event.preventDefault();
  event.stopImmediatePropagation();
  location.assign(address.href);
}, true);
