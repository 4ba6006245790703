// Reads only what the page already shows, and sets only `hidden`, `open`, one class and one count:
// no text ever becomes markup, nothing is stored, nothing is loaded.
(function () {
  "use strict";
  var cases = Array.prototype.slice.call(document.querySelectorAll("details.case"));
  var form = document.getElementById("filters");
  var shown = document.getElementById("shown");
  var words = new Map(); // case -> its text in lower case, made when it is first searched
  var waiting = 0;

  function holds(item, text) {
    if (!words.has(item)) { words.set(item, item.textContent.toLowerCase()); }
    return words.get(item).indexOf(text) >= 0;
  }

  function chosen(name) {
    var field = form.elements.namedItem(name);
    return field ? field.value : "";
  }

  function apply() {
    var text = chosen("text").trim().toLowerCase();
    var kind = chosen("kind"), state = chosen("state"), tag = chosen("tag"), stage = chosen("stage");
    var count = 0;
    cases.forEach(function (item) {
      var data = item.dataset;
      var fits = (!kind || data.kind === kind) && (!state || data.state === state) &&
        (!stage || data.stage === stage) && (!tag || JSON.parse(data.tags).indexOf(tag) >= 0) &&
        (!text || holds(item, text));
      item.hidden = !fits;
      if (fits) { count += 1; }
    });
    shown.textContent = count + " of " + cases.length;
  }

  function setOpen(open) {
    cases.forEach(function (item) { if (!item.hidden || !open) { item.open = open; } });
  }

  // A sentence and its evidence light up together, for mouse and keyboard alike.
  function light(event) {
    var part = event.target.closest ? event.target.closest("[data-pair]") : null;
    Array.prototype.forEach.call(document.querySelectorAll(".lit"), function (old) { old.classList.remove("lit"); });
    if (!part) { return; }
    var wanted = part.dataset.pair.split(" ");
    Array.prototype.forEach.call(part.closest("details").querySelectorAll("[data-pair]"), function (other) {
      if (other.dataset.pair.split(" ").some(function (one) { return wanted.indexOf(one) >= 0; })) {
        other.classList.add("lit");
      }
    });
  }
  document.addEventListener("mouseover", light);
  document.addEventListener("focusin", light);
  document.addEventListener("click", function (event) {
    var part = event.target.closest ? event.target.closest(".said[data-pair]") : null;
    var evidence = part && part.closest("details").querySelector("mark[data-pair~='" + Number(part.dataset.pair) + "']");
    if (evidence) { evidence.scrollIntoView({ block: "nearest" }); }
  });

  if (!form) { return; }
  form.hidden = false;
  form.addEventListener("input", function () { clearTimeout(waiting); waiting = setTimeout(apply, 120); });
  form.addEventListener("submit", function (event) { event.preventDefault(); });
  document.getElementById("open").addEventListener("click", function () { setOpen(true); });
  document.getElementById("close").addEventListener("click", function () { setOpen(false); });
  document.addEventListener("keydown", function (event) {
    var busy = /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName);
    if (event.key === "/" && !busy && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      form.elements.namedItem("text").focus();
    }
  });
  apply();
})();
