// What an annotator can see of the page, in CSS pixels.
() => {
  const box = (element) => element.getBoundingClientRect();
  const one = (selector) => document.querySelector(selector);
  const inView = (element) => {
    const { left, top, right, bottom, width, height } = box(element);
    return width > 0 && height > 0 && left >= 0 && top >= 0 && right <= innerWidth + 0.5 && bottom <= innerHeight + 0.5;
  };
  const uncovered = (element) => {
    const { left, top, bottom, width, height } = box(element);
    const hits = [top + 4, top + height / 2, bottom - 4].map((y) => document.elementFromPoint(left + width / 2, y));
    return hits.every((hit) => hit !== null && (element.contains(hit) || hit.contains(element)));
  };
  const wide = (element) => element.scrollWidth > element.clientWidth + 1 && getComputedStyle(element).overflowX !== "auto";
  const scrolling = [...document.querySelectorAll(".gm-page, .gm-history, .gm-prompt, .gm-response, .gm-code, .gm-side, .gm-bar, .gm-risks")];
  const buttons = [...document.querySelectorAll(".gm-scale label, .gm-safety label")];
  const shown = [...document.querySelectorAll(".gm-risks label, .gm-report label")].filter((label) => label.offsetParent !== null);
  const turns = [...document.querySelectorAll(".gm-history .gm-turn")];
  const lastTurn = turns.at(-1);
  return {
    scheme: document.documentElement.dataset.colorScheme,
    pageScrollsSideways: document.documentElement.scrollWidth - innerWidth,
    pageScrolls: document.documentElement.scrollHeight - innerHeight,
    cut: scrolling.filter(wide).map((element) => element.className),
    promptInView: inView(one(".gm-prompt")) && uncovered(one(".gm-prompt .gm-who")),
    promptHeight: box(one(".gm-prompt")).height,
    buttons: buttons.length,
    buttonsOutOfReach: [...buttons, ...shown].filter((label) => !inView(label) || !uncovered(label)).map((label) => label.innerText),
    buttonsCut: [...buttons, ...shown].filter((label) => label.scrollHeight > label.clientHeight + 1 || wide(label)).map((label) => label.innerText),
    responseHeights: [...document.querySelectorAll(".gm-response")].map((element) => box(element).height),
    responseWidths: [...document.querySelectorAll(".gm-response .gm-text")].map((element) => box(element).width / innerWidth),
    barBelowText: box(one(".gm-pair")).bottom <= box(one(".gm-bar")).top && box(one(".gm-bar")).bottom <= box(one(".lsf-bottombar")).top + 0.5,
    historyAtItsEnd: !lastTurn || Math.abs(box(lastTurn).bottom - box(one(".gm-history")).bottom) < 4,
    pwned: window.__pwned ?? null,
  };
}
