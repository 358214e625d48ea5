// Plays the tracks of a report in step: each has a gain, and all sources start at one time of one clock.
"use strict";
for (const player of document.querySelectorAll(".player")) {
  const rate = Number(player.dataset.rate), duration = Number(player.dataset.duration);
  const find = (name) => player.querySelector(name);
  const play = find(".play"), bar = find(".bar"), clock = find(".clock"), loop = find(".loop"), truth = find(".truth");
  const message = find(".message");
  const tracks = [...player.querySelectorAll(".track")].map((row) => ({
    row, mute: row.querySelector(".mute"), solo: row.querySelector(".solo"), scene: row.querySelector(".scene"),
  }));
  let context = null, sources = [], offset = 0, startedAt = 0, playing = false, looping = loop.checked;
  const pressed = (button) => button.getAttribute("aria-pressed") === "true";

  const decode = (base64) => {
    const text = atob(base64), bytes = new Uint8Array(text.length);
    for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
    return context.decodeAudioData(bytes.buffer);
  };

  // A browser lets a page make sound only after a click: nothing is decoded before.
  const load = async () => {
    try { context = new AudioContext({ sampleRate: rate }); } catch { context = new AudioContext(); }
    await Promise.all(tracks.map(async (track) => {
      track.gain = context.createGain();
      track.gain.connect(context.destination);
      track.found = await decode(track.row.dataset.audio);
      track.true = track.row.dataset.truth ? await decode(track.row.dataset.truth) : track.found;
    }));
    mix(0);
  };

  // Solo wins over mute, as on a mixing desk. Gains move in 5 ms steps, so that nothing clicks.
  const mix = (time = 0.005) => {
    const alone = tracks.some((track) => pressed(track.solo));
    for (const track of tracks) {
      const heard = alone ? pressed(track.solo) : !pressed(track.mute);
      track.row.dataset.heard = heard ? "yes" : "no";
      if (!track.gain) continue;
      if (time) track.gain.gain.setTargetAtTime(heard ? 1 : 0, context.currentTime, time);
      else track.gain.gain.value = heard ? 1 : 0;
    }
  };

  const position = () => {
    if (!playing) return offset;
    const at = offset + Math.max(0, context.currentTime - startedAt);
    return looping ? at % duration : Math.min(at, duration);
  };

  const halt = () => {
    for (const source of sources) source.stop();
    sources = [];
  };

  const begin = () => {
    halt();
    startedAt = context.currentTime + 0.03;
    for (const track of tracks) {
      const source = context.createBufferSource();
      source.buffer = truth && truth.checked ? track.true : track.found;
      source.loop = looping;
      source.loopEnd = duration;
      source.connect(track.gain);
      source.start(startedAt, offset);
      sources.push(source);
    }
  };

  const show = () => {
    const at = position();
    player.style.setProperty("--at", at / duration);
    bar.value = at;
    clock.value = `${at.toFixed(1)} of ${duration.toFixed(1)} s`;
    play.textContent = playing ? "Pause" : "Play";
    player.dataset.state = playing ? "playing" : "paused";
  };

  const frame = () => {
    if (playing && !looping && position() >= duration) { playing = false; offset = 0; halt(); }
    show();
    if (playing) requestAnimationFrame(frame);
  };

  const seek = (at) => {
    offset = Math.min(Math.max(at, 0), duration - 1e-3);
    if (playing) begin();
    show();
  };

  play.addEventListener("click", async () => {
    if (playing) {
      offset = position();
      playing = false;
      halt();
    } else {
      try {
        if (!context) { play.disabled = true; await load(); }
        await context.resume();
      } catch (error) {
        message.textContent = `This browser cannot play the report: ${error.message}`;
        context = null;
        return;
      } finally { play.disabled = false; }
      playing = true;
      begin();
    }
    frame();
  });
  bar.addEventListener("input", () => seek(Number(bar.value)));
  // A change goes on from where it is heard now.
  loop.addEventListener("change", () => { const at = position(); looping = loop.checked; seek(at); });
  if (truth) truth.addEventListener("change", () => seek(position()));
  for (const track of tracks) {
    for (const button of [track.mute, track.solo]) {
      button.addEventListener("click", () => { button.setAttribute("aria-pressed", !pressed(button)); mix(); });
    }
    track.scene.addEventListener("click", (event) => {
      const box = track.scene.getBoundingClientRect();
      seek((event.clientX - box.left) / box.width * duration);
    });
  }
  mix(0);
  show();
}
