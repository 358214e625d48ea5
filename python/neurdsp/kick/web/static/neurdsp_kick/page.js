// The page: which kick is chosen, the shelf of kicks, and what buttons and keys do.

import * as client from "./client.js";
import * as player from "./player.js";
import { build, fill, wishes } from "./recipe.js";
import { draw } from "./waveform.js";

const find = (id) => document.getElementById(id);
const facts = JSON.parse(find("facts").textContent);
const kicks = new Map(); // by id, in the order of the shelf
let chosen = null;
let tab = "all";
let older = null;

// --- messages

let hiding;
function tell(message) {
  find("notice").textContent = message;
  find("notice").hidden = false;
  clearTimeout(hiding);
  hiding = setTimeout(() => (find("notice").hidden = true), 7000);
}

const guard = (action) => async (...values) => {
  try {
    return await action(...values);
  } catch (error) {
    tell(error.message);
    if (!(error instanceof client.Refusal)) throw error;
  }
};

// --- one kick

const nameOf = (kick) => kick.keywords.join(" ") || "any kick";
const format = (download = false) => ({ bits: find("bits").value, rate: find("rate").value, download });
const tileOf = (id) => document.querySelector(`.tile[data-id="${id}"]`);

const sounding = guard(async (kick) => {
  await player.play(client.audioUrl(kick), (at) => {
    const tile = tileOf(kick.id);
    if (tile) tile.dataset.playing = at === null ? "no" : "yes";
    if (chosen?.id === kick.id) draw(find("wave"), chosen.peaks, { at, seconds: chosen.seconds });
    document.body.dataset.playing = at === null ? "" : kick.id;
    document.body.dataset.played = kick.id;
  });
});

function choose(kick, { sound = true } = {}) {
  document.querySelector(".tile[aria-current=true]")?.removeAttribute("aria-current");
  chosen = kick;
  const none = !kick;
  for (const id of ["favourite", "play", "download", "delete", "edits"]) find(id).disabled = none;
  find("grip").hidden = none;
  find("stage").dataset.editable = facts.editable && (none || kick.editable) ? "yes" : "no";
  find("title").textContent = none ? "No kick yet" : `${nameOf(kick)} #${kick.number + 1}`;
  if (none) {
    find("origin").textContent = "Choose words, then generate.";
    draw(find("wave"), null);
    return;
  }
  const not = kick.negative.length ? `not ${kick.negative.join(", not ")} · ` : "";
  const how = kick.amount === null ? "" : ` · a variation, ${Math.round(100 * kick.amount)} % away`;
  find("origin").textContent = `${not}seed ${kick.seed}${how}`;
  find("favourite").setAttribute("aria-pressed", kick.favourite);
  find("tune").value = kick.tune;
  find("decay").value = Math.log2(kick.decay);
  find("seconds").value = kick.seconds;
  showEdits();
  draw(find("wave"), kick.peaks, kick);
  const tile = tileOf(kick.id);
  tile?.setAttribute("aria-current", "true");
  if (sound) sounding(kick);
}

function showEdits() {
  const values = {
    tune: `${find("tune").value > 0 ? "+" : ""}${Number(find("tune").value)} st`,
    decay: `×${(2 ** find("decay").value).toFixed(2)}`,
    seconds: `${Number(find("seconds").value).toFixed(2)} s`,
    amount: `${Math.round(100 * find("amount").value)} %`,
  };
  for (const [id, text] of Object.entries(values)) {
    document.querySelector(`output[for=${id}]`).textContent = text;
    fill(find(id));
  }
}

function drag(event, kick) {
  const url = client.audioUrl(kick, format(true));
  event.dataTransfer.effectAllowed = "copy";
  event.dataTransfer.setData("DownloadURL", `audio/wav:${kick.file}:${url}`);
  event.dataTransfer.setData("text/uri-list", url);
  event.dataTransfer.setData("text/plain", url);
}

// --- the shelf

function tile(kick) {
  const box = document.createElement("article");
  box.className = "tile";
  box.dataset.id = kick.id;
  box.draggable = true;
  box.tabIndex = 0;
  box.setAttribute("aria-label", `${nameOf(kick)}, number ${kick.number + 1}: play`);
  const canvas = document.createElement("canvas");
  const label = document.createElement("div");
  label.className = "label";
  const number = document.createElement("span");
  number.textContent = `#${kick.number + 1}`;
  const heart = document.createElement("button");
  Object.assign(heart, { type: "button", textContent: "♥", title: "Favourite" });
  heart.setAttribute("aria-pressed", kick.favourite);
  heart.setAttribute("aria-label", `Favourite, number ${kick.number + 1}`);
  heart.addEventListener("click", (event) => {
    event.stopPropagation();
    favour(kicks.get(kick.id));
  });
  label.append(number, heart);
  box.append(canvas, label);
  box.addEventListener("click", () => choose(kicks.get(kick.id)));
  box.addEventListener("dragstart", (event) => drag(event, kicks.get(kick.id)));
  return box;
}

function title(kick, count) {
  const heading = document.createElement("h3");
  const name = document.createElement("b");
  name.textContent = nameOf(kick);
  const what = kick.amount === null ? "" : `variations, ${Math.round(100 * kick.amount)} % away`;
  const when = new Date(kick.created).toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
  heading.append(name, ` · ${[what, count > 1 ? `${count} kicks` : "", `seed ${kick.seed}`, when].filter(Boolean).join(" · ")}`);
  return heading;
}

function show() {
  const batches = [];
  for (const kick of kicks.values()) {
    const key = tab === "all" ? `${kick.seed} ${kick.amount} ${nameOf(kick)}` : nameOf(kick);
    if (batches.at(-1)?.key !== key) batches.push({ key, kicks: [] });
    batches.at(-1).kicks.push(kick);
  }
  find("batches").replaceChildren(
    ...batches.map((batch) => {
      const box = document.createElement("section");
      box.className = "batch";
      const grid = document.createElement("div");
      grid.className = "grid";
      grid.append(...batch.kicks.map(tile));
      box.append(title(batch.kicks[0], batch.kicks.length), grid);
      return box;
    }),
  );
  for (const kick of kicks.values()) draw(tileOf(kick.id).querySelector("canvas"), kick.peaks);
  find("empty").hidden = kicks.size > 0;
  find("older").hidden = !older;
  if (chosen) tileOf(chosen.id)?.setAttribute("aria-current", "true");
}

const load = guard(async ({ more = false } = {}) => {
  const query = { favourites: tab === "favourites" ? "1" : "0", ...(more && { before: older }) };
  const answer = await client.list(query);
  if (!more) kicks.clear();
  for (const kick of answer.kicks) kicks.set(kick.id, kick);
  older = answer.before;
  show();
});

function pick(name) {
  tab = name;
  for (const each of ["all", "favourites"]) find(`tab-${each}`).setAttribute("aria-pressed", each === name);
  return load();
}

async function add(made) {
  if (tab !== "all") await pick("all");
  const before = [...kicks.entries()].filter(([id]) => !made.some((kick) => kick.id === id));
  kicks.clear();
  for (const kick of made) kicks.set(kick.id, kick);
  for (const [id, kick] of before) kicks.set(id, kick);
  show();
  choose(made[0]);
}

function update(kick) {
  if (kicks.has(kick.id)) kicks.set(kick.id, kick);
  if (chosen?.id === kick.id) chosen = kick;
  const box = tileOf(kick.id);
  if (box) {
    draw(box.querySelector("canvas"), kick.peaks);
    box.querySelector("button").setAttribute("aria-pressed", kick.favourite);
  }
}

// --- what one can do

let making = false;
const make = (call) =>
  guard(async () => {
    if (making) return;
    making = true;
    find("generate").setAttribute("aria-busy", "true");
    try {
      const made = (await call()).kicks;
      if (made.length) await add(made);
    } finally {
      making = false;
      find("generate").removeAttribute("aria-busy");
      progress(null);
    }
  })();

let running = null;
/** Shows on the button how far a job is, or that there is none. */
function progress(job) {
  running = job;
  const [button, cancel] = [find("generate"), find("cancel")];
  cancel.hidden = !job;
  if (!job) {
    find("generating").textContent = "Generate";
    delete button.dataset.job;
    return;
  }
  button.dataset.job = job.state;
  button.style.setProperty("--done", `${(100 * job.done) / job.n}%`);
  const ahead = job.ahead === 1 ? "1 call ahead" : `${job.ahead} calls ahead`;
  find("generating").textContent = job.ahead ? ahead : `${job.done} of ${job.n}`;
}

const generate = () => make(() => client.generate(wishes(), progress));
const vary = () =>
  chosen &&
  find("stage").dataset.editable === "yes" &&
  make(() => client.vary(chosen.id, { amount: Number(find("amount").value), n: Number(find("count").value) }));

const favour = guard(async (kick) => {
  if (!kick) return;
  const changed = await client.change(kick.id, { favourite: !kick.favourite });
  update(changed);
  if (chosen?.id === changed.id) find("favourite").setAttribute("aria-pressed", changed.favourite);
});

const remove = guard(async () => {
  if (!chosen) return;
  if (chosen.favourite) return tell("This is a favourite. Take its heart away first.");
  const ids = [...kicks.keys()];
  const next = ids[ids.indexOf(chosen.id) + 1] ?? ids[ids.indexOf(chosen.id) - 1];
  await client.remove(chosen.id);
  kicks.delete(chosen.id);
  choose(kicks.get(next) ?? null, { sound: false });
  show();
});

function save() {
  if (!chosen) return;
  const link = document.createElement("a");
  link.href = client.audioUrl(chosen, format(true));
  link.download = chosen.file;
  link.click();
}

const edit = guard(async () => {
  const kick = chosen;
  const wanted = {
    tune: Number(find("tune").value),
    decay: Number((2 ** find("decay").value).toFixed(4)),
    seconds: Number(find("seconds").value),
  };
  const changed = await client.change(kick.id, wanted);
  update(changed);
  if (chosen?.id === changed.id) sounding(changed);
});

function step(distance) {
  const ids = [...kicks.keys()];
  if (!ids.length) return;
  const at = chosen ? ids.indexOf(chosen.id) + distance : 0;
  const id = ids[Math.max(0, Math.min(ids.length - 1, at))];
  choose(kicks.get(id));
  tileOf(id)?.scrollIntoView({ block: "nearest" });
}

const KEYS = {
  " ": () => chosen && sounding(chosen),
  ArrowRight: () => step(1),
  ArrowLeft: () => step(-1),
  f: () => favour(chosen),
  v: vary,
  s: save,
  g: generate,
  Delete: remove,
};

document.addEventListener("keydown", (event) => {
  const { target, key } = event;
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (target.matches("#seed, select")) return;
  if (target.matches("input[type=range]") && key.startsWith("Arrow")) return;
  if (target.matches("button") && (key === " " || key === "Enter")) return;
  if (target.matches(".tile") && (key === "Enter" || key === " ")) {
    event.preventDefault();
    return choose(kicks.get(target.dataset.id));
  }
  if (/^[1-9]$/.test(key)) {
    const kick = [...kicks.values()][Number(key) - 1];
    if (kick) choose(kick);
    return;
  }
  const action = KEYS[key.length === 1 ? key.toLowerCase() : key];
  if (!action) return;
  event.preventDefault();
  if (!event.repeat) action();
});

find("recipe").addEventListener("submit", (event) => {
  event.preventDefault();
  generate();
});
find("cancel").addEventListener("click", guard(() => running && client.cancel(running.id)));
find("play").addEventListener("click", () => sounding(chosen));
find("wave").addEventListener("click", () => chosen && sounding(chosen));
find("favourite").addEventListener("click", () => favour(chosen));
find("download").addEventListener("click", save);
find("delete").addEventListener("click", remove);
find("vary").addEventListener("click", vary);
find("grip").addEventListener("dragstart", (event) => drag(event, chosen));
find("older").addEventListener("click", () => load({ more: true }));
find("tab-all").addEventListener("click", () => pick("all"));
find("tab-favourites").addEventListener("click", () => pick("favourites"));
find("clear").addEventListener(
  "click",
  guard(async () => {
    if (!confirm("Delete all kicks that are no favourites?")) return;
    await client.clear();
    choose(null);
    await load();
  }),
);
for (const id of ["tune", "decay", "seconds"]) find(id).addEventListener("change", edit);
for (const id of ["tune", "decay", "seconds", "amount"]) find(id).addEventListener("input", showEdits);
for (const id of ["bits", "rate"]) {
  find(id).value = localStorage.getItem(`neurdsp-kick-${id}`) || find(id).value;
  find(id).addEventListener("change", () => localStorage.setItem(`neurdsp-kick-${id}`, find(id).value));
}
let resizing;
window.addEventListener("resize", () => {
  cancelAnimationFrame(resizing);
  resizing = requestAnimationFrame(() => {
    draw(find("wave"), chosen?.peaks, chosen ?? {});
    for (const kick of kicks.values()) {
      const box = tileOf(kick.id);
      if (box) draw(box.querySelector("canvas"), kick.peaks);
    }
  });
});

build(facts);
find("by-value").hidden = !Object.keys(facts.attributes).length;
document.body.dataset.editable = facts.editable ? "yes" : "no";
find("seconds").max = Math.min(5, facts.limits.seconds);
showEdits();
draw(find("wave"), null);
await load();
if (kicks.size) choose(kicks.values().next().value, { sound: false });
document.body.dataset.ready = "yes";
if (!facts.editable) {
  const [job] = (await client.waiting()).jobs; // of before the page was loaded again
  if (job) make(() => client.follow(job, progress));
}
