// While a payment has no answer: asks whether there is one.
// No news is no failure.
function poll(place, wait = 2000) {
  setTimeout(async () => {
    try {
      const { state, words } = await (await fetch(place.dataset.poll)).json();
      if (state && state != place.dataset.state) return location.reload();
      if (words && words != place.textContent) place.textContent = words;
    } catch {}
    poll(place, Math.min(wait * 1.3, 15000));
  }, wait);
}

const place = document.querySelector("[data-poll]");
if (place) poll(place);
