// One cursor through all charts, and its step read from the table of steps. Without it nothing is missing.
(() => {
  const table = document.getElementById("steps");
  const plots = [...document.querySelectorAll(".plot")];
  if (!table || !plots.length) return;
  const names = [...table.tHead.rows[0].cells].map((cell) => cell.textContent);
  const rows = [...table.tBodies[0].rows];
  const firstStep = Number(document.querySelector("main").dataset.firstStep);
  const width = rows.length - 1 + firstStep;
  const readout = document.body.appendChild(document.createElement("div"));
  readout.id = "readout";
  readout.hidden = true;
  const cursors = plots.map((plot) => {
    const cursor = plot.appendChild(document.createElement("div"));
    cursor.className = "cursor";
    return cursor;
  });
  const hide = (hidden) => {
    for (const element of [...cursors, readout]) element.hidden = hidden;
  };
  hide(true);
  const show = (event, plot) => {
    const box = plot.getBoundingClientRect();
    const share = (event.clientX - box.left) / box.width;
    const step = Math.max(0, Math.min(rows.length - 1, Math.floor(share * width - firstStep + 1)));
    const from = step ? step - 1 + firstStep : 0;
    const middle = (from + (step ? step + firstStep : firstStep)) / 2;
    for (const cursor of cursors) cursor.style.left = `${(100 * middle) / width}%`;
    const cells = [...rows[step].cells].map((cell) => cell.textContent);
    readout.textContent = [cells[0], ...cells.slice(1).map((cell, k) => `${names[k + 1]} ${cell}`)].join("  ·  ");
    hide(false);
  };
  for (const plot of plots) {
    plot.addEventListener("pointermove", (event) => show(event, plot));
    plot.addEventListener("pointerleave", () => hide(true));
  }
})();
