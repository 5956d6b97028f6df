// One cursor through all charts, and its step read from the table at the bottom. Without it nothing is missing.
(() => {
  const table = document.getElementById("steps");
  const plots = [...document.querySelectorAll(".plot")];
  if (!table || !plots.length) return;
  const names = [...table.tHead.rows[0].cells].map((cell) => cell.textContent);
  const rows = [...table.tBodies[0].rows];
  const cursors = plots.map((plot) => {
    const cursor = plot.appendChild(document.createElement("div"));
    cursor.className = "cursor";
    cursor.hidden = true;
    return cursor;
  });
  const readout = document.body.appendChild(document.createElement("div"));
  readout.id = "readout";
  readout.hidden = true;
  const show = (step) => {
    const at = Math.max(0, Math.min(rows.length - 1, step));
    for (const cursor of cursors) {
      cursor.hidden = false;
      cursor.style.left = `${(100 * (at + 0.5)) / rows.length}%`;
    }
    const cells = [...rows[at].cells].map((cell) => cell.textContent);
    readout.textContent = `${cells[0]}  ·  ` + cells.slice(1).map((cell, k) => `${names[k + 1]} ${cell}`).join("  ·  ");
    readout.hidden = false;
  };
  for (const plot of plots) {
    plot.addEventListener("pointermove", (event) => {
      const box = plot.getBoundingClientRect();
      show(Math.floor(((event.clientX - box.left) / box.width) * rows.length));
    });
  }
})();
