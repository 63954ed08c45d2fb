// Passkeys: asks the browser what the page's question says, and sends its answer with the form.

const form = document.querySelector("form[data-passkey]");
const use = form?.querySelector("[data-passkey-use]");
const question = document.getElementById("passkey-question");
const able = window.PublicKeyCredential?.parseRequestOptionsFromJSON && question;

if (form && use && able) {
  use.hidden = false;
  const part = form.querySelector("[data-passkey-part]");
  if (part) part.hidden = false;
  const lacking = form.querySelector("[data-passkey-lacking]");
  if (lacking) lacking.hidden = true;
  use.addEventListener("click", ask);
  form.addEventListener("submit", (event) => {
    if (form.dataset.passkey !== "create" || form.elements.answer.value) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    ask();
  }, { capture: true });
}

async function ask() {
  const error = form.querySelector("[data-passkey-error]");
  error.hidden = true;
  use.setAttribute("aria-busy", "true");
  try {
    const asked = JSON.parse(question.textContent);
    const answer = form.dataset.passkey === "create"
      ? await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(asked) })
      : await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(asked) });
    form.elements.answer.value = JSON.stringify(answer);
    form.requestSubmit();
  } catch (trouble) {
    error.textContent = trouble.name === "InvalidStateError"
      ? "This device already holds a passkey for you."
      : "The browser gave no passkey: it was cancelled, took too long, or there is none here.";
    error.hidden = false;
  } finally {
    use.removeAttribute("aria-busy");
  }
}
