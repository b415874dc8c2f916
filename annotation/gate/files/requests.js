// Sends the session's token with each request that writes, so that no other site can write in the annotator's name.
// Goes on to the next batch when the batch has no task left, and says when an answer was stored or taken back.
(() => {
  const token = () => (document.cookie.match(/(?:^|; )csrftoken=([^;]*)/) || [])[1] || "";
  const own = (address) => new URL(address, location.href).origin === location.origin;
  const writes = (method) => !["GET", "HEAD"].includes(method.toUpperCase());
  const ANNOTATION = /^\/api\/(tasks\/\d+\/annotations|annotations\/\d+)\/?$/;
  const plain = window.fetch;
  window.fetch = async (asked, settings) => {
    const request = new Request(asked, settings);
    if (own(request.url) && writes(request.method)) request.headers.set("X-CSRFToken", token());
    const answer = await plain(request);
    const path = new URL(request.url).pathname;
    if (answer.status === 401) location.reload();
    if (answer.status === 404 && path.startsWith("/api/dm/actions")) {
      location.assign("/next");
      return new Promise(() => {}); // Label Studio would say that all tasks are completed
    }
    if (answer.ok && writes(request.method) && ANNOTATION.test(path)) document.dispatchEvent(new Event("gm-answered"));
    return answer;
  };
  const open = XMLHttpRequest.prototype.open;
  XMLHttpRequest.prototype.open = function (method, address, ...rest) {
    open.call(this, method, address, ...rest);
    if (own(address) && writes(method)) this.setRequestHeader("X-CSRFToken", token());
  };
})();
