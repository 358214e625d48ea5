// The form on the left: words as chips, sliders that are off until they are moved, and how many kicks to make.

const find = (id) => document.getElementById(id);
const STATES = ["off", "want", "avoid"];
const PRESSED = { off: "false", want: "true", avoid: "mixed" };

/** Fills the track of a slider from its lower end, or from its middle if that is where nothing happens. */
export function fill(input) {
  const share = (input.value - input.min) / (input.max - input.min);
  const rest = "centred" in input.dataset ? 0.5 : 0;
  input.style.setProperty("--from", `${100 * Math.min(share, rest)}%`);
  input.style.setProperty("--to", `${100 * Math.max(share, rest)}%`);
}

function explain(word, meaning) {
  const name = document.createElement("b");
  name.textContent = word;
  find("meaning").replaceChildren(name, `: ${meaning}`);
}

function chip(word, meaning) {
  const button = document.createElement("button");
  Object.assign(button, { type: "button", className: "chip", textContent: word, title: meaning });
  const put = (state) => {
    button.dataset.state = state;
    button.setAttribute("aria-pressed", PRESSED[state]);
    button.setAttribute("aria-label", state === "avoid" ? `not ${word}` : word);
  };
  put("off");
  button.addEventListener("click", () => {
    put(STATES[(STATES.indexOf(button.dataset.state) + 1) % STATES.length]);
    explain(word, meaning);
  });
  for (const event of ["pointerenter", "focus"]) button.addEventListener(event, () => explain(word, meaning));
  return button;
}

function slider(name, meaning) {
  const label = document.createElement("label");
  label.className = "slider";
  label.title = `${meaning}; double-click for any`;
  const input = Object.assign(document.createElement("input"), { type: "range", min: 0, max: 1, step: 0.01, value: 0.5, name });
  const text = document.createElement("span");
  text.textContent = name.replaceAll("_", " ");
  const output = document.createElement("output");
  const put = (set) => {
    label.dataset.set = set ? "yes" : "no";
    output.textContent = set ? `${Math.round(100 * input.value)} %` : "any";
    fill(input);
  };
  input.addEventListener("input", () => put(true));
  input.addEventListener("focus", () => explain(text.textContent, meaning));
  label.addEventListener("pointerenter", () => explain(text.textContent, meaning));
  label.addEventListener("dblclick", () => put(false));
  label.append(text, input, output);
  put(false);
  return label;
}

/** Fills the form with the vocabulary. */
export function build(facts) {
  find("chips").append(...Object.entries(facts.keywords).map((entry) => chip(...entry)));
  find("sliders").append(...Object.entries(facts.attributes).map((entry) => slider(...entry)));
  find("count").max = Math.min(16, facts.limits.n);
  const show = (id, text) => {
    const input = find(id);
    const put = () => {
      document.querySelector(`output[for=${id}]`).textContent = text(Number(input.value));
      fill(input);
    };
    input.addEventListener("input", put);
    put();
  };
  show("guidance", (value) => value.toFixed(1));
  show("count", String);
}

/** What the form says, as the body of a request. */
export function wishes() {
  const words = (state) => [...document.querySelectorAll(`.chip[data-state=${state}]`)].map((one) => one.textContent);
  const moved = [...document.querySelectorAll("#sliders .slider[data-set=yes] input")];
  const seed = find("seed").value.trim();
  return {
    keywords: words("want"),
    negative: words("avoid"),
    attributes: Object.fromEntries(moved.map((input) => [input.name, Number(input.value)])),
    guidance: Number(find("guidance").value),
    n: Number(find("count").value),
    ...(seed && { seed: Number(seed) }),
  };
}
