// Where an amount is chosen: the pencil opens its form in place, and what is left is said while somebody types.
const $ = (selector, root = document) => root.querySelector(selector);
const hear = (words) => $("#say").textContent = words;

// Typed text in minor units; NaN if unclear.
function minor(text, { decimal, grouping, exponent }) {
  const form = `^(\\d{1,3}(?:[${grouping}]\\d{3})+|\\d+)(?:[${decimal}](\\d{0,${exponent}}))?$`;
  const match = new RegExp(form).exec(text.trim()) ?? new RegExp(form).exec(text.replace(/[\s'’]/g, ""));
  return match ? Number(match[1].replace(/\D/g, "") + (match[2] ?? "").padEnd(exponent, "0")) : NaN;
}

function live(form) {
  const data = form.dataset, line = $(".live", form), places = Number(data.exponent), sign = $(".field span", form).textContent;
  let timer;
  $("#amount", form).oninput = ({ target }) => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      const amount = minor(target.value.replace(sign, ""), data), left = data.left - amount;
      const figure = () => new Intl.NumberFormat(data.locale, { minimumFractionDigits: places, numberingSystem: "latn" }).format(left / 10 ** places);
      line.textContent = !(amount > 0 && left >= 0) ? "" : left
        ? data.words.replace("%", () => data.sample.replace(data.zero, figure)) : data.full;
    }, 600);
  };
}

// The pencil opens its form in place.
function pencil(button) {
  const place = $("#pick"), closed = [...place.childNodes];
  const others = place.parentNode.querySelectorAll(".act, .act + .links");
  const show = (open, nodes) => {
    place.replaceChildren(...nodes);
    for (const other of others) other.hidden = open;
    button.setAttribute("aria-expanded", open);
  };
  button.setAttribute("aria-expanded", false);
  button.setAttribute("aria-controls", "pick");
  $("#change").onsubmit = (event) => {
    event.preventDefault();
    show(true, [$("#inline").content.cloneNode(true)]);
    const form = $("form", place), field = $("#amount", form);
    const close = (event) => {
      event.preventDefault();
      show(false, closed);
      button.focus();
      hear(form.dataset.unchanged);
    };
    form.onkeydown = (event) => { if (event.key == "Escape" && !event.isComposing) close(event); };
    $("[data-cancel]", form).onclick = close;
    live(form);
    field.focus({ preventScroll: true });
    field.select();
  };
}

for (const form of document.querySelectorAll(".amount-form")) live(form);
if ($("#pick .pencil")) pencil($("#pick .pencil"));
$("#amount[autofocus]")?.select();
const chosen = $("[data-say]");
if (chosen) { chosen.focus({ preventScroll: true }); hear(chosen.dataset.say); }
