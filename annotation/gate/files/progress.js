// Shows how many tasks of the batch are done, where Label Studio counts the tasks that were looked at.
(() => {
  const project = location.pathname.match(/^\/projects\/(\d+)/)?.[1];
  const status = document.createElement("p"); // what screen readers announce; labelling.css shows the same text
  status.className = "gm-progress";
  status.setAttribute("role", "status");

  const show = async () => {
    const answer = await fetch(`/gate/progress?project=${project}`);
    if (!answer.ok) return;
    const { done, tasks, batches } = await answer.json();
    const count = `${done} of ${tasks}`;
    const others = batches ? `, ${batches} more ${batches === 1 ? "batch" : "batches"}` : "";
    status.textContent = `${count} done${others}`;
    document.documentElement.style.setProperty("--gm-count", `"${count}"`);
    document.documentElement.style.setProperty("--gm-progress", `"${status.textContent}"`);
  };
  document.addEventListener("DOMContentLoaded", () => document.body.append(status));
  document.addEventListener("DOMContentLoaded", show);
  document.addEventListener("gm-answered", show);
})();
