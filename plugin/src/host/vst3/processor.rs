//! The side of an instance that plays.

use std::sync::atomic::Ordering;

use nice_plug::wrapper::vst3::vst3::ComRef;
use nice_plug::wrapper::vst3::vst3::Steinberg::Vst::{
    AudioBusBuffers, AudioBusBuffers__type0, BusDirection, IAudioProcessorTrait, IEditControllerTrait,
    IParamValueQueueTrait, IParameterChangesTrait, IProcessContextRequirementsTrait, ProcessData,
    ProcessModes_, ProcessSetup, SpeakerArr, SpeakerArrangement, SymbolicSampleSizes_,
};
use nice_plug::wrapper::vst3::vst3::Steinberg::{
    TBool, kInvalidArgument, kNotInitialized, kResultFalse, tresult,
};

use super::Instance;
use crate::host::buffers::{Channels, MAX_BUSES};

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
        let n_buses = usize::try_from(data.numOutputs).ok().filter(|count| *count > 0)?;
        if data.outputs.is_null() {
            return None;
        }
        // SAFETY: the host gives as many buses for each side as it says, with as many channels.
        let (input, inputs, buses) = unsafe {
            let input = data.inputs.as_ref().filter(|_| data.numInputs > 0);
            let buses = std::slice::from_raw_parts_mut(data.outputs, n_buses);
            (input, input.map_or(&[][..], |bus| channels(bus)), buses)
        };
        let mut outputs: [Channels; MAX_BUSES] = [&[]; MAX_BUSES];
        for (output, bus) in outputs.iter_mut().zip(buses.iter_mut()) {
            // Nothing here looks for silence, and what was there before is not for this block.
            bus.silenceFlags = 0;
            // SAFETY: as above.
            *output = unsafe { channels(bus) };
        }
        let outputs = &outputs[..n_buses.min(MAX_BUSES)];
        // Nobody else takes it while sound plays, so this does not wait.
        let mut scratch = self.scratch.try_lock()?;
        if scratch.are_plain(inputs, outputs) {
            return None;
        }
        // SAFETY: as above.
        if !unsafe { scratch.take(inputs, count) } {
            return Some(kInvalidArgument);
        }
        let bus = |channels: *mut *mut f32, n_channels: usize, silence: u64| AudioBusBuffers {
            numChannels: n_channels as i32,
            silenceFlags: silence,
            __field0: AudioBusBuffers__type0 { channelBuffers32: channels },
        };
        let mut own = [(); MAX_BUSES].map(|()| bus(std::ptr::null_mut(), 0, 0));
        let mut n_own = 0;
        for (to, (channels, n_channels)) in own.iter_mut().zip(scratch.outputs()) {
            *to = bus(channels, n_channels, 0);
            n_own += 1;
        }
        // SAFETY: this is the list of the channels that both share.
        let main = unsafe { own[0].__field0.channelBuffers32 };
        let mut input = bus(main, scratch.n_inputs(), input.map_or(0, |bus| bus.silenceFlags));
        let mut block = ProcessData {
            numInputs: i32::from(scratch.n_inputs() > 0),
            inputs: &mut input,
            numOutputs: n_own,
            outputs: own.as_mut_ptr(),
            ..*data
        };
        // SAFETY: the buses have memory for the block in every channel.
        let result = unsafe { self.processor.process(&mut block) };
        // SAFETY: as above.
        unsafe { scratch.give(outputs, count) };
        Some(result)
    }
}

/// The channels of a bus; none where it has no list of them.
///
/// # Safety
///
/// The bus is the host's, and lives as long as the result is used.
unsafe fn channels<'a>(bus: &AudioBusBuffers) -> Channels<'a> {
    // SAFETY: only samples of 32 bits are offered.
    let list = unsafe { bus.__field0.channelBuffers32 };
    if list.is_null() {
        return &[];
    }
    // SAFETY: the caller promises as many channels.
    unsafe { std::slice::from_raw_parts(list, usize::try_from(bus.numChannels).unwrap_or(0)) }
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
        let n_buses = self.count_outputs();
        let (Ok(given), Ok(all)) = (usize::try_from(n_outputs), usize::try_from(n_buses)) else {
            return kInvalidArgument;
        };
        if outputs.is_null() || !(1..=all).contains(&given) || all > MAX_BUSES {
            // SAFETY: see above.
            return unsafe { self.processor.setBusArrangements(inputs, n_inputs, outputs, n_outputs) };
        }
        // A host may name the main output alone, or leave those empty that it has switched off: these are as the main one.
        // SAFETY: see above.
        let given = unsafe { std::slice::from_raw_parts(outputs, given) };
        let mut filled = [given[0]; MAX_BUSES];
        for (to, from) in filled.iter_mut().zip(given).filter(|(_, from)| **from != SpeakerArr::kEmpty) {
            *to = *from;
        }
        // SAFETY: see above.
        unsafe { self.processor.setBusArrangements(inputs, n_inputs, filled.as_mut_ptr(), n_buses) }
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
