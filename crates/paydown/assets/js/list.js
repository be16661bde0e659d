// The list while somebody looks at it: says what was paid meanwhile, and brings the rows up to date where they are. No row
// comes, goes or moves, and the one under the pointer or with the focus waits until it is left. Where another tab turned to
// another company, what comes is that one's and is left alone.
const list = document.querySelector("[data-refresh]");
const parts = (root) => [...root.querySelectorAll("[data-fresh]")];

async function refresh() {
  try {
    const answer = document.hidden ? null : await fetch(list.dataset.refresh);
    if (answer?.ok && !answer.redirected) show(new DOMParser().parseFromString(await answer.text(), "text/html"));
  } catch {} // No news is no failure.
  setTimeout(refresh, 75000);
}

function show(page) {
  if (page.querySelector("[data-refresh]")?.dataset.whose != list.dataset.whose) return;
  const news = [];
  for (const part of parts(document)) {
    const fresh = parts(page).find((other) => other.dataset.fresh == part.dataset.fresh);
    if (!fresh) continue;
    if (fresh.dataset.paid && !part.dataset.paid) news.push(part.dataset.paid = fresh.dataset.paid);
    if (fresh.innerHTML != part.innerHTML && !part.matches(":hover, :focus-within")) part.replaceChildren(...fresh.childNodes);
  }
  if (news.length) document.querySelector("#say").textContent = news.join(". ");
}

if (list) setTimeout(refresh, 75000);
