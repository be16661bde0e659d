// On every page: says what is going on, warns before the session ends. It only ever removes page loads.
const $ = (selector) => document.querySelector(selector);
const hear = (words) => $("#say").textContent = words;

addEventListener("submit", (event) => {
  const button = $("[data-busy]", event.target);
  if (button) setTimeout(() => {
    button.disabled = true;
    hear(button.textContent = button.dataset.busy);
  });
});
function rest(button) {
  button.disabled = true;
  setTimeout(() => button.disabled = false, button.dataset.wait * 1000);
}
addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });

function session(form) {
  const start = () => setTimeout(() => form.hidden = false, form.dataset.after * 1000);
  start();
  form.onsubmit = async (event) => {
    event.preventDefault();
    const answer = await fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)) }).catch(() => 0);
    if (!answer.ok) return form.submit();
    form.hidden = true;
    start();
  };
}

const online = () => $("#offline").hidden = navigator.onLine;
addEventListener("online", online);
addEventListener("offline", online);
const parts = { "#stay": session, "[data-wait]": rest };
for (const part in parts) if ($(part)) parts[part]($(part));
const print = $("[data-print]");
if (print) { print.hidden = false; print.onclick = () => window.print(); }
