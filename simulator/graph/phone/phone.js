// Shows new messages without a reload. Without script the page works all the same: reload it to see what came.
"use strict";
const main = document.querySelector("[data-events]");
if (main) {
  const bottom = () => window.scrollTo(0, document.body.scrollHeight);
  bottom();
  const show = async () => {
    const answer = await fetch(main.dataset.fragment, { headers: { Accept: "text/html" } });
    if (!answer.ok) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    const near = window.innerHeight + window.scrollY >= document.body.scrollHeight - 120;
    const held = document.activeElement && document.activeElement.dataset ? document.activeElement.dataset.key : "";
    for (const id of ["turns", "replies", "state"]) {
      const from = fresh.getElementById(id), to = document.getElementById(id);
      if (from && to) to.replaceWith(document.adoptNode(from));
    }
    if (held) document.querySelector(`[data-key="${CSS.escape(held)}"]`)?.focus();
    if (near) bottom();
    document.documentElement.dataset.shown = String(Number(document.documentElement.dataset.shown || 0) + 1);
  };
  let busy = false, again = false;
  const refresh = async () => {
    if (busy) { again = true; return; }
    busy = true;
    do { again = false; try { await show(); } catch { /* the next event tries again */ } } while (again);
    busy = false;
  };
  new EventSource(main.dataset.events).addEventListener("message", refresh);
  document.addEventListener("submit", async (event) => {
    event.preventDefault();
    const form = event.target, body = new URLSearchParams(new FormData(form));
    const box = form.querySelector("input[name=text]");
    if (box && !box.value.trim()) return;
    await fetch(form.action, { method: "POST", body, redirect: "manual" });
    if (box) { box.value = ""; box.focus(); }
    await refresh();
    bottom();
  });
}
