#!/usr/bin/env bash
# Makes the shipped drum separator again, from Debian packages to python/neurdsp/drumsep/shipped/.
#
#   scripts/runs/ship_drums.sh GROOVE [MINUTES]          all: bank, training, figures, card
#   RUN=FOLDER BANK=FILE scripts/runs/ship_drums.sh      from a run that exists, at any of its checkpoints
#
# GROOVE is the Groove MIDI data set (a .tar.gz or a folder). Everything on the way stays in runs/drums/. A bank and
# a run that are there already are used; a run that was stopped continues. WEIGHTS=average takes the mean of the
# last weights instead of the best by validation. STEMGMD=FOLDER also judges on recordings with true stems there.
# Training goes on from START, a model file, by default the network that ships; START= begins with random weights.
# PRECISION is bfloat16 or float32; by default what the processor has instructions for.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

work=runs/drums
bank=${BANK:-$work/bank.safetensors}
run=${RUN:-$work/run}
weights=${WEIGHTS:-best}
packages=(hydrogen-drumkits hydrogen-data avldrums.lv2-soundfont fluid-soundfont-gm timgm6mb-soundfont sonic-pi-samples)
python=.venv/bin/python
neurdsp=.venv/bin/neurdsp
shipped=python/neurdsp/drumsep/shipped

if ! [ -x "$python" ]; then
    echo "ship_drums: $python is missing; run: make develop" >&2
    exit 2
fi
mkdir -p "$work" "$shipped"

if ! [ -f "$bank" ]; then
    missing=()
    for package in "${packages[@]}"; do
        [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
    done
    if [ ${#missing[@]} -gt 0 ]; then
        echo "ship_drums: install first: sudo apt-get install ${missing[*]}" >&2
        exit 2
    fi
    "$neurdsp" drumsep prepare --groove "${1:?give the Groove MIDI data set}" -o "$bank"
fi

if [ -z "${RUN:-}" ]; then
    # glibc otherwise gives large buffers back to the system after each step, and asks for them again.
    export MALLOC_MMAP_THRESHOLD_=8000000000 MALLOC_TRIM_THRESHOLD_=16000000000
    # The file that training begins with is replaced at the end, so a copy stays with the run.
    begin=()
    if [ -n "${START-$shipped/draft.safetensors}" ]; then
        [ -f "$work/start.safetensors" ] || cp "${START-$shipped/draft.safetensors}" "$work/start.safetensors"
        begin=(--start "$work/start.safetensors" --set training.learning_rate=0.0015)
    fi
    half=float32
    grep -q -m 1 -E 'avx512_bf16|amx_bf16' /proc/cpuinfo && half=bfloat16
    again=()
    [ -f "$run/checkpoint.pt" ] && again=(--resume)
    OMP_NUM_THREADS=1 "$neurdsp" drumsep train "$bank" --run-dir "$run" --preset draft --minutes "${2:-90}" \
        --set training.precision="${PRECISION:-$half}" "${begin[@]}" "${again[@]}"
fi

"$neurdsp" drumsep export "$run" -o "$work/draft.safetensors" --weights "$weights" --name draft --overwrite
"$neurdsp" model verify "$work/draft.safetensors"

# Judged by the exported file in the engine: on kits that neither training nor its validation heard.
[ -d "$work/test" ] || "$neurdsp" drumsep render "$bank" -o "$work/test" --split test --clips 12 --seconds 10
"$neurdsp" drumsep evaluate "$work/draft.safetensors" "$work/test" --json > "$work/test.json"
figures=(--figures test "$work/test.json")
if [ -n "${STEMGMD:-}" ]; then
    "$neurdsp" drumsep evaluate "$work/draft.safetensors" "$STEMGMD" --json > "$work/stemgmd.json"
    figures+=(--figures stemgmd "$work/stemgmd.json")
fi

"$python" scripts/runs/describe_drums.py "$run" "$work/draft.safetensors" --kits "${bank%.safetensors}.kits.csv" \
    "${figures[@]}" -o "$shipped/draft.md"
cp "$work/draft.safetensors" "$shipped/draft.safetensors.new"
mv "$shipped/draft.safetensors.new" "$shipped/draft.safetensors"
ls -l "$shipped"
