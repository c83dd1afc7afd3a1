"use strict";
// Keys for readers who prefer them, and links of pictures that light up. Pages
// work without this file.
(() => {
  const go = {};
  document.querySelectorAll("[data-go]").forEach((a) => { go[a.dataset.go] = a.href; });
  let waiting = 0;

  const typing = (t) => t.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(t.tagName);

  // rows are those that lead somewhere.
  const rows = () => [...document.querySelectorAll("main table:not(.code) tbody tr")].filter((r) => r.querySelector("a[href]") && r.offsetParent);

  const step = (by) => {
    const all = rows();
    if (!all.length) return;
    const here = all.findIndex((r) => r.classList.contains("here"));
    const next = all[Math.max(0, Math.min(all.length - 1, here < 0 ? 0 : here + by))];
    all.forEach((r) => r.classList.toggle("here", r === next));
    next.querySelector("a[href]").focus({ preventScroll: true });
    next.scrollIntoView({ block: "nearest" });
  };

  const help = () => {
    const d = document.getElementById("keys");
    if (d.open) d.close(); else d.showModal();
  };

  document.addEventListener("keydown", (e) => {
    if (e.ctrlKey || e.altKey || e.metaKey) return;
    if (typing(e.target)) {
      if (e.key === "Escape") e.target.blur();
      return;
    }
    if (waiting && Date.now() - waiting < 1500 && go[e.key]) {
      waiting = 0;
      e.preventDefault();
      location.assign(go[e.key]);
      return;
    }
    waiting = 0;
    switch (e.key) {
      case "/":
        e.preventDefault();
        document.getElementById("search").focus();
        document.getElementById("search").select();
        break;
      case "g": waiting = Date.now(); break;
      case "j": step(1); break;
      case "k": step(-1); break;
      case "?": help(); break;
    }
  });

  // A box of a lineage that is pointed at, or has the focus, shows what it is
  // linked to.
  const light = (on) => (e) => {
    const box = e.target.closest(".lanes a[data-box]");
    if (!box) return;
    const picture = box.closest("svg");
    picture.querySelectorAll(".lit").forEach((x) => x.classList.remove("lit"));
    picture.classList.toggle("lit", on);
    if (!on) return;
    box.classList.add("lit");
    picture.querySelectorAll(`.arrow[data-ends~="${box.dataset.box}"]`).forEach((arrow) => {
      arrow.classList.add("lit");
      arrow.dataset.ends.split(" ").forEach((n) => picture.querySelector(`[data-box="${n}"]`).classList.add("lit"));
    });
  };
  for (const [name, on] of [["mouseover", true], ["focusin", true], ["mouseout", false], ["focusout", false]]) {
    document.addEventListener(name, light(on));
  }
})();
