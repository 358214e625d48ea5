// The API of the service: requests with the token of the page, errors as one line, and waiting when it is busy.

const token = document.querySelector("meta[name=csrf-token]").content;
const { kicks: root, jobs } = document.body.dataset;
const POLL_S = 0.5;
const RETRIES = 3;

export class Refusal extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

const pause = (seconds) => new Promise((resolve) => setTimeout(resolve, 1000 * seconds));

async function send(method, url, body) {
  for (let attempt = 0; ; attempt += 1) {
    let answer;
    try {
      answer = await fetch(url, {
        method,
        credentials: "same-origin",
        headers: { "X-CSRFToken": token, ...(body && { "Content-Type": "application/json" }) },
        body: body && JSON.stringify(body),
      });
    } catch {
      throw new Refusal(0, "The service does not answer. Is it still running?");
    }
    if (answer.ok) return answer;
    if (answer.status === 503 && attempt < RETRIES) {
      await pause(Number(answer.headers.get("Retry-After")) || 2);
      continue;
    }
    const told = await answer.json().catch(() => ({}));
    throw new Refusal(answer.status, told.error || `The service answered ${answer.status}.`);
  }
}

const json = async (...call) => (await send(...call)).json();

/** Makes kicks; `told` is called with the job for as long as one is at work on them. */
export async function generate(wishes, told) {
  const answer = await json("POST", root, wishes);
  return answer.job ? follow(answer.job, told) : answer;
}

/** Waits for the kicks of a job. */
export async function follow(job, told) {
  for (;;) {
    told(job);
    if (job.state === "failed") throw new Refusal(500, job.error);
    if (job.state !== "queued" && job.state !== "running") return job;
    await pause(POLL_S);
    ({ job } = await json("GET", `${jobs}/${job.id}`));
  }
}

export const waiting = () => json("GET", jobs);
export const cancel = (id) => json("DELETE", `${jobs}/${id}`);
export const vary = (id, wishes) => json("POST", `${root}/${id}/variations`, wishes);
export const list = (query) => json("GET", `${root}?${new URLSearchParams(query)}`);
export const change = (id, changes) => json("PATCH", `${root}/${id}`, changes);
export const remove = (id) => send("DELETE", `${root}/${id}`);
export const clear = () => json("DELETE", root);

/** The address of a kick's WAV; its edits are in it, so that another edit is another address. */
export function audioUrl(kick, { bits, rate, download } = {}) {
  const query = new URLSearchParams({ tune: kick.tune, decay: kick.decay, seconds: kick.seconds });
  if (bits) query.set("bits", bits);
  if (rate) query.set("rate", rate);
  if (download) query.set("download", "1");
  return new URL(`${root}/${kick.id}/audio.wav?${query}`, location.href).href;
}

export const audio = async (url) => (await send("GET", url)).arrayBuffer();
