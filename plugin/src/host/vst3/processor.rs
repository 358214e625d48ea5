//! The side of an instance that plays.

use std::sync::atomic::Ordering;

use nice_plug::wrapper::vst3::vst3::ComRef;
use nice_plug::wrapper::vst3::vst3::Steinberg::Vst::{
    AudioBusBuffers, AudioBusBuffers__type0, BusDirection, IAudioProcessorTrait, IEditControllerTrait,
    IParamValueQueueTrait, IParameterChangesTrait, IProcessContextRequirementsTrait, ProcessData,
    ProcessModes_, ProcessSetup, SpeakerArrangement, SymbolicSampleSizes_,
};
use nice_plug::wrapper::vst3::vst3::Steinberg::{
    TBool, kInvalidArgument, kNotInitialized, kResultFalse, tresult,
};

use super::Instance;
use crate::host::buffers::are_plain;

impl Instance {
    /// Forgets the kept values that the block brings.
    ///
    /// # Safety
    ///
    /// `data` is what the host gave for the block.
    unsafe fn forget_brought(&self, data: &ProcessData) {
        // SAFETY: the host's changes live during the call.
        unsafe {
            let Some(changes) = ComRef::from_raw(data.inputParameterChanges) else { return };
            for index in 0..changes.getParameterCount() {
                if let Some(queue) = ComRef::from_raw(changes.getParameterData(index))
                    && queue.getPointCount() > 0
                {
                    self.pending.forget(queue.getParameterId());
                }
            }
        }
    }

    /// Plays a block whose channels the framework would play wrongly; none if they are plain.
    ///
    /// # Safety
    ///
    /// As [`forget_brought`](Self::forget_brought).
    unsafe fn play_apart(&self, data: &ProcessData) -> Option<tresult> {
        let count = usize::try_from(data.numSamples).ok().filter(|count| *count > 0)?;
        if data.numInputs != 1 || data.numOutputs != 1 || data.inputs.is_null() || data.outputs.is_null() {
            return None;
        }
        // SAFETY: the host gives a bus for each side, with as many channels as it says.
        let (input, output, inputs, outputs) = unsafe {
            let (input, output) = (*data.inputs, *data.outputs);
            (input, output, channels(&input)?, channels(&output)?)
        };
        let [n_inputs, n_outputs] = [0, 1].map(|side: usize| self.n_channels[side].load(Ordering::Relaxed));
        if are_plain(inputs, outputs, n_inputs, n_outputs) {
            return None;
        }
        // Nobody else takes it while sound plays, so this does not wait.
        let mut scratch = self.scratch.try_lock()?;
        // SAFETY: as above.
        let pointers = unsafe { scratch.take(inputs, count)? };
        let bus = |of: AudioBusBuffers, n_channels: usize| AudioBusBuffers {
            numChannels: n_channels as i32,
            silenceFlags: of.silenceFlags,
            __field0: AudioBusBuffers__type0 { channelBuffers32: pointers },
        };
        let (mut input, mut output) = (bus(input, n_inputs), bus(output, n_outputs));
        let mut own = ProcessData { inputs: &mut input, outputs: &mut output, ..*data };
        // SAFETY: the buses have memory for the block in every channel.
        let result = unsafe { self.processor.process(&mut own) };
        // SAFETY: as above.
        unsafe { scratch.give(outputs, count) };
        Some(result)
    }
}

/// The channels of a bus; none if it has no list of them.
///
/// # Safety
///
/// The bus is the host's, and lives as long as the result is used.
unsafe fn channels<'a>(bus: &AudioBusBuffers) -> Option<&'a [*mut f32]> {
    let count = usize::try_from(bus.numChannels).ok()?;
    // SAFETY: only samples of 32 bits are offered.
    let list = unsafe { bus.__field0.channelBuffers32 };
    if list.is_null() {
        return (count == 0).then_some(&[]);
    }
    // SAFETY: the caller promises as many channels.
    Some(unsafe { std::slice::from_raw_parts(list, count) })
}

// SAFETY of all calls below: they pass on what the host gave, by the rules of the interface that the host has called.

impl IAudioProcessorTrait for Instance {
    unsafe fn setBusArrangements(
        &self,
        inputs: *mut SpeakerArrangement,
        n_inputs: i32,
        outputs: *mut SpeakerArrangement,
        n_outputs: i32,
    ) -> tresult {
        // SAFETY: see above.
        unsafe { self.processor.setBusArrangements(inputs, n_inputs, outputs, n_outputs) }
    }

    unsafe fn getBusArrangement(
        &self,
        direction: BusDirection,
        index: i32,
        to: *mut SpeakerArrangement,
    ) -> tresult {
        // SAFETY: see above.
        unsafe { self.processor.getBusArrangement(direction, index, to) }
    }

    unsafe fn canProcessSampleSize(&self, size: i32) -> tresult {
        // SAFETY: see above.
        unsafe { self.processor.canProcessSampleSize(size) }
    }

    unsafe fn getLatencySamples(&self) -> u32 {
        // SAFETY: see above.
        unsafe { self.processor.getLatencySamples() }
    }

    unsafe fn setupProcessing(&self, setup: *mut ProcessSetup) -> tresult {
        if setup.is_null() {
            return kInvalidArgument;
        }
        // SAFETY: see above.
        let ProcessSetup {
            processMode: mode,
            symbolicSampleSize: size,
            maxSamplesPerBlock: max,
            sampleRate: rate,
        } = unsafe { *setup };
        let plays = size == SymbolicSampleSizes_::kSample32 as i32 && rate.is_finite() && rate > 0.0;
        let (true, Ok(max_samples)) = (plays, usize::try_from(max)) else { return kResultFalse };
        // The framework passes on the mode of the call before.
        // SAFETY: see above.
        let results =
            unsafe { [self.processor.setupProcessing(setup), self.processor.setupProcessing(setup)] };
        let is_offline = mode == ProcessModes_::kOffline as i32;
        self.setup_is_offline.store(is_offline, Ordering::Relaxed);
        self.link.set_offline(is_offline);
        self.max_samples.store(max_samples, Ordering::Relaxed);
        self.is_set_up.store(true, Ordering::Relaxed);
        results[1]
    }

    unsafe fn setProcessing(&self, state: TBool) -> tresult {
        // SAFETY: see above.
        let result = unsafe { self.processor.setProcessing(state) };
        self.is_processing.store(state != 0, Ordering::Relaxed);
        if state == 0 {
            // No block will bring them.
            for (number, value) in self.pending.take() {
                // SAFETY: see above.
                unsafe { self.controller.setParamNormalized(number, value) };
            }
        }
        result
    }

    unsafe fn process(&self, data: *mut ProcessData) -> tresult {
        // SAFETY: see above.
        let Some(given) = (unsafe { data.as_ref() }) else { return kInvalidArgument };
        if !self.is_set_up.load(Ordering::Relaxed) {
            return kNotInitialized;
        }
        if given.symbolicSampleSize != SymbolicSampleSizes_::kSample32 as i32 || given.numSamples < 0 {
            return kInvalidArgument;
        }
        let is_offline = given.processMode == ProcessModes_::kOffline as i32;
        self.link.set_offline(is_offline || self.setup_is_offline.load(Ordering::Relaxed));
        // SAFETY: see above.
        unsafe {
            if self.pending.is_any() {
                self.forget_brought(given);
            }
            self.play_apart(given).unwrap_or_else(|| self.processor.process(data))
        }
    }

    unsafe fn getTailSamples(&self) -> u32 {
        self.link.tail_samples()
    }
}

impl IProcessContextRequirementsTrait for Instance {
    unsafe fn getProcessContextRequirements(&self) -> u32 {
        // SAFETY: see above.
        unsafe { self.requirements.getProcessContextRequirements() }
    }
}
