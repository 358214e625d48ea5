//! What a host passes to a plugin: a file in memory, and the changes of parameters and the notes within a block.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::ffi::c_void;

use vst3::Steinberg::IBStream_::IStreamSeekMode_::{kIBSeekCur as CURRENT, kIBSeekEnd as END};
use vst3::Steinberg::Vst::{
    Event, Event_::EventTypes_, Event__type0, IEventList, IEventListTrait, IParamValueQueue,
    IParamValueQueueTrait, IParameterChanges, IParameterChangesTrait, NoteOffEvent, NoteOnEvent, ParamID,
    ParamValue,
};
use vst3::Steinberg::{IBStream, IBStreamTrait, kResultFalse, kResultOk, tresult};
use vst3::{Class, ComPtr, ComWrapper};

/// A file in memory.
#[derive(Default)]
pub struct MemoryStream {
    bytes: RefCell<Vec<u8>>,
    at: Cell<usize>,
}

impl MemoryStream {
    pub fn new(bytes: &[u8]) -> MemoryStream {
        MemoryStream { bytes: RefCell::new(bytes.to_vec()), at: Cell::new(0) }
    }

    pub fn bytes(&self) -> Vec<u8> {
        self.bytes.borrow().clone()
    }
}

impl Class for MemoryStream {
    type Interfaces = (IBStream,);
}

impl IBStreamTrait for MemoryStream {
    unsafe fn read(&self, buffer: *mut c_void, count: i32, read: *mut i32) -> tresult {
        let bytes = self.bytes.borrow();
        let at = self.at.get().min(bytes.len());
        let count = (count.max(0) as usize).min(bytes.len() - at);
        unsafe {
            std::ptr::copy_nonoverlapping(bytes[at..].as_ptr(), buffer.cast(), count);
            if !read.is_null() {
                *read = count as i32;
            }
        }
        self.at.set(at + count);
        kResultOk
    }

    unsafe fn write(&self, buffer: *mut c_void, count: i32, written: *mut i32) -> tresult {
        let given = unsafe { std::slice::from_raw_parts(buffer.cast::<u8>(), count as usize) };
        self.bytes.borrow_mut().extend_from_slice(given);
        self.at.set(self.bytes.borrow().len());
        if !written.is_null() {
            unsafe { *written = count };
        }
        kResultOk
    }

    unsafe fn seek(&self, position: i64, mode: i32, result: *mut i64) -> tresult {
        // The type of the constants depends on the platform.
        let from = match mode {
            end if end == END as i32 => self.bytes.borrow().len(),
            current if current == CURRENT as i32 => self.at.get(),
            _ => 0,
        };
        self.at.set((from as i64 + position).max(0) as usize);
        unsafe { if result.is_null() { kResultOk } else { self.tell(result) } }
    }

    unsafe fn tell(&self, position: *mut i64) -> tresult {
        unsafe { *position = self.at.get() as i64 };
        kResultOk
    }
}

/// Changes of some parameters.
pub struct Points(Vec<ComPtr<IParamValueQueue>>);

impl Points {
    pub fn new(points: HashMap<ParamID, Vec<(i32, ParamValue)>>) -> ComWrapper<Points> {
        let queue = |(id, points)| ComWrapper::new(Queue { id, points }).to_com_ptr().unwrap();
        ComWrapper::new(Points(points.into_iter().map(queue).collect()))
    }
}

impl Class for Points {
    type Interfaces = (IParameterChanges,);
}

impl IParameterChangesTrait for Points {
    unsafe fn getParameterCount(&self) -> i32 {
        self.0.len() as i32
    }

    unsafe fn getParameterData(&self, index: i32) -> *mut IParamValueQueue {
        self.0[index as usize].as_ptr()
    }

    unsafe fn addParameterData(&self, _id: *const ParamID, _index: *mut i32) -> *mut IParamValueQueue {
        std::ptr::null_mut()
    }
}

/// Changes of one parameter.
struct Queue {
    id: ParamID,
    points: Vec<(i32, ParamValue)>,
}

impl Class for Queue {
    type Interfaces = (IParamValueQueue,);
}

impl IParamValueQueueTrait for Queue {
    unsafe fn getParameterId(&self) -> ParamID {
        self.id
    }

    unsafe fn getPointCount(&self) -> i32 {
        self.points.len() as i32
    }

    unsafe fn getPoint(&self, index: i32, offset: *mut i32, value: *mut ParamValue) -> tresult {
        let Some(point) = self.points.get(index as usize) else { return kResultFalse };
        unsafe { (*offset, *value) = *point };
        kResultOk
    }

    unsafe fn addPoint(&self, _offset: i32, _value: ParamValue, _index: *mut i32) -> tresult {
        kResultFalse
    }
}

/// What happens to a note within a block.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Press {
    /// The sample.
    pub at: i32,
    pub key: i16,
    /// None at its end.
    pub velocity: Option<f32>,
}

impl Press {
    pub fn on(at: i32, key: i16, velocity: f32) -> Press {
        Press { at, key, velocity: Some(velocity) }
    }

    pub fn off(at: i32, key: i16) -> Press {
        Press { at, key, velocity: None }
    }
}

/// The notes of a block.
pub struct Notes(pub Vec<Press>);

impl Class for Notes {
    type Interfaces = (IEventList,);
}

impl IEventListTrait for Notes {
    unsafe fn getEventCount(&self) -> i32 {
        self.0.len() as i32
    }

    unsafe fn getEvent(&self, index: i32, event: *mut Event) -> tresult {
        let Some(note) = self.0.get(index as usize) else { return kResultFalse };
        let (channel, tuning, note_id) = (0, 0.0, -1);
        unsafe {
            *event = std::mem::zeroed();
            (*event).sampleOffset = note.at;
            let pitch = note.key;
            if let Some(velocity) = note.velocity {
                let on = NoteOnEvent { channel, pitch, tuning, velocity, length: 0, noteId: note_id };
                (*event).r#type = EventTypes_::kNoteOnEvent as u16;
                (*event).__field0 = Event__type0 { noteOn: on };
            } else {
                let off = NoteOffEvent { channel, pitch, velocity: 0.0, noteId: note_id, tuning };
                (*event).r#type = EventTypes_::kNoteOffEvent as u16;
                (*event).__field0 = Event__type0 { noteOff: off };
            }
        }
        kResultOk
    }

    unsafe fn addEvent(&self, _event: *mut Event) -> tresult {
        kResultFalse
    }
}
