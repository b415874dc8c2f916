"use strict";
(() => {
  const PAGE = 25;
  const form = document.getElementById("search-form");
  const words = document.getElementById("search-words");
  const verdict = document.getElementById("search-verdict");
  const found = document.getElementById("search-found");
  const more = document.getElementById("search-more");
  const items = [...document.querySelectorAll("#search-documents > li")];
  const texts = items.map((item) => item.textContent.toLowerCase());
  let shown = PAGE;
  let hits = items;

  const mark = (wanted) => {
    if (!("highlights" in CSS)) return;
    const ranges = [];
    for (const item of items.filter((each) => !each.hidden)) {
      const walker = document.createTreeWalker(item, NodeFilter.SHOW_TEXT);
      while (walker.nextNode() && ranges.length < 2000) {
        const text = walker.currentNode.data.toLowerCase();
        if (text.length !== walker.currentNode.data.length) continue;
        for (const word of wanted) {
          for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + word.length)) {
            const range = new Range();
            range.setStart(walker.currentNode, at);
            range.setEnd(walker.currentNode, at + word.length);
            ranges.push(range);
          }
        }
      }
    }
    CSS.highlights.set("hit", new Highlight(...ranges));
  };

  const update = () => {
    const wanted = words.value.toLowerCase().split(/\s+/).filter(Boolean);
    hits = items.filter((item, number) =>
      (!verdict.value || item.dataset.verdict === verdict.value) && wanted.every((word) => texts[number].includes(word)));
    const visible = new Set(hits.slice(0, shown));
    for (const item of items) item.hidden = !visible.has(item);
    more.hidden = hits.length <= shown;
    found.textContent = `${hits.length} of ${items.length} documents`;
    mark(wanted);
  };

  const anew = () => {
    shown = PAGE;
    update();
  };
  words.addEventListener("input", anew);
  verdict.addEventListener("change", anew);
  form.addEventListener("submit", (event) => event.preventDefault());
  more.addEventListener("click", () => {
    const next = hits[shown];
    shown += PAGE;
    update();
    next.querySelector("summary").focus();
  });
  form.hidden = false;
  update();
})();
