#!/usr/bin/env bash
# Makes the shipped amp and its clip again, from Debian packages to python/neurdsp/amp/shipped/.
#
#   scripts/runs/ship_ts9.sh [STEPS]
#
# Needs `make develop` and the packages below. Everything on the way stays in runs/ts9/. The signals and captures
# are the same bits each time; so is the training on the same processor, because it is bounded by steps.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

steps=${1:-4000}
packages=(guitarix-lv2 lilv-utils fluidsynth fluid-soundfont-gm)
device=http://guitarix.sourceforge.net/plugins/gxts9#ts9sim
controls=(--set fslider0_=-4 --set fslider1_=500 --set fslider2_=0.5) # level in dB, tone in Hz, drive
python=.venv/bin/python
neurdsp=.venv/bin/neurdsp
run=runs/ts9
shipped=python/neurdsp/amp/shipped
excerpt=tests/amp/ts9_clip_wet.flac

missing=()
for package in "${packages[@]}"; do
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ]; then
    echo "ship_ts9: install first: sudo apt-get install ${missing[*]}" >&2
    exit 2
fi
if ! [ -x "$python" ]; then
    echo "ship_ts9: $python is missing; run: make develop" >&2
    exit 2
fi

mkdir -p "$run"
"$python" scripts/runs/capture_signal.py clip -o "$shipped/di_clip.flac"
for part in train test; do
    "$python" scripts/runs/capture_signal.py $part -o $run/${part}_dry.wav
    "$neurdsp" amp capture --device "$device" -i $run/${part}_dry.wav -o $run/${part}_wet.wav --overwrite "${controls[@]}"
done
"$neurdsp" amp capture --device "$device" -i "$shipped/di_clip.flac" -o $run/clip_wet.wav --overwrite "${controls[@]}"
# The tests keep its first four seconds, to measure the shipped amp without the packages.
"$python" -c "
import soundfile
audio, rate = soundfile.read('$run/clip_wet.wav', frames=4 * 48_000)
soundfile.write('$excerpt', audio, rate, subtype='PCM_16')
"

"$neurdsp" amp train $run/train_dry.wav $run/train_wet.wav -o $run/ts9.safetensors \
    --run-dir $run/train --overwrite --preset seed-16x6 --steps "$steps" --set data.latency_samples=0 \
    --set training.learning_rate=0.008 --set training.validate_steps=250 --set training.threads=1 \
    --set training.batch_size=4 --set data.crop_samples=8192
"$python" scripts/runs/judge_amp.py $run/ts9.safetensors --about scripts/runs/ts9_about.json \
    --pair test $run/test_dry.wav $run/test_wet.wav --pair clip "$shipped/di_clip.flac" "$excerpt"
"$neurdsp" model verify $run/ts9.safetensors
mv $run/ts9.safetensors "$shipped/ts9.safetensors"
"$python" scripts/runs/describe_amps.py
