#!/usr/bin/env bash
# Makes the shipped music networks again, from data sets to python/neurdsp/music/shipped/.
#
#   scripts/runs/ship_music.sh GROOVE POP909          data, training, int8, figures, cards
#   NETWORKS="groove" scripts/runs/ship_music.sh GROOVE POP909
#
# GROOVE is the Groove MIDI data set and POP909 that of its name, each an archive or a folder; melody also needs the package
# music21, and emotion fluidsynth with the soundfont FluidR3. Everything on the way stays in runs/music/: data and runs that
# are there already are used, and a run that was stopped continues.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

work=runs/music
shipped=python/neurdsp/music/shipped
neurdsp=.venv/bin/neurdsp
python=.venv/bin/python
networks=${NETWORKS:-groove dynamics harmony melody emotion}

if ! [ -x "$python" ]; then
    echo "ship_music: $python is missing; run: make develop" >&2
    exit 2
fi
soundfont=${SOUNDFONT:-/usr/share/sounds/sf2/FluidR3_GM.sf2}
sources=(--music21 --soundfont "$soundfont" --groove "${1:?give the Groove MIDI data set}" --pop909 "${2:?give POP909}")
mkdir -p "$work/data" "$shipped"

for network in $networks; do
    data=$work/data/$network.safetensors
    run=$work/$network
    [ -f "$data" ] || "$neurdsp" music prepare "$network" "${sources[@]}" -o "$data"
    again=()
    [ -f "$run/checkpoint.pt" ] && again=(--resume)
    [ -f "$run/result.json" ] || "$neurdsp" music train "$network" "$data" --run-dir "$run" "${again[@]}"
    "$neurdsp" music export "$run" "$data" -o "$work/$network.safetensors" --overwrite
    if [ "$network" = emotion ]; then
        # A second training, in which the network of the first one is the teacher: nothing is taken out of it.
        second=$work/emotion-second.safetensors
        [ -f "$second" ] || "$neurdsp" music prune "$work/emotion.safetensors" "$data" --keep 1 --steps 4000 --name emotion \
            --set training.validate_steps=200 -o "$second" --overwrite
        cp "$second" "$work/emotion.safetensors"
    fi
    "$neurdsp" model verify "$work/$network.safetensors"
    "$neurdsp" music evaluate "$work/$network.safetensors" "$data" --json > "$work/$network.json"
    "$python" scripts/runs/describe_music.py "$work/$network.json" "$data" -o "$work/$network.md"
    cp "$work/$network.safetensors" "$work/$network.md" "$shipped/"
done
