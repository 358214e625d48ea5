//! What hosts ask beside audio and parameters: groups of parameters, and what notes and controllers do.
//!
//! The framework answers all of it; hosts must find the interfaces on the instance that they hold.

use nice_plug::wrapper::vst3::vst3::Steinberg::Vst::{
    BusDirection, CString, CtrlNumber, IMidiMappingTrait, INoteExpressionControllerTrait, IUnitInfoTrait,
    MediaType, NoteExpressionTypeID, NoteExpressionTypeInfo, NoteExpressionValue, ParamID, ProgramListID,
    ProgramListInfo, String128, TChar, UnitID, UnitInfo, kNoParentUnitId, kNoProgramListId, kRootUnitId,
};
use nice_plug::wrapper::vst3::vst3::Steinberg::{IBStream, kInvalidArgument, kResultOk, tresult};

use super::Instance;
use super::controller::write_text;

// SAFETY of all calls below: they pass on what the host gave, by the rules of the interface that the host has called.

impl IMidiMappingTrait for Instance {
    unsafe fn getMidiControllerAssignment(
        &self,
        bus: i32,
        channel: i16,
        controller: CtrlNumber,
        id: *mut ParamID,
    ) -> tresult {
        // SAFETY: see above.
        unsafe { self.midi_mapping.getMidiControllerAssignment(bus, channel, controller, id) }
    }
}

impl INoteExpressionControllerTrait for Instance {
    unsafe fn getNoteExpressionCount(&self, bus: i32, channel: i16) -> i32 {
        // SAFETY: see above.
        unsafe { self.note_expressions.getNoteExpressionCount(bus, channel) }
    }

    unsafe fn getNoteExpressionInfo(
        &self,
        bus: i32,
        channel: i16,
        index: i32,
        info: *mut NoteExpressionTypeInfo,
    ) -> tresult {
        // SAFETY: see above.
        unsafe { self.note_expressions.getNoteExpressionInfo(bus, channel, index, info) }
    }

    unsafe fn getNoteExpressionStringByValue(
        &self,
        bus: i32,
        channel: i16,
        id: NoteExpressionTypeID,
        value: NoteExpressionValue,
        text: *mut String128,
    ) -> tresult {
        // SAFETY: see above.
        unsafe { self.note_expressions.getNoteExpressionStringByValue(bus, channel, id, value, text) }
    }

    unsafe fn getNoteExpressionValueByString(
        &self,
        bus: i32,
        channel: i16,
        id: NoteExpressionTypeID,
        text: *const TChar,
        value: *mut NoteExpressionValue,
    ) -> tresult {
        // SAFETY: see above.
        unsafe { self.note_expressions.getNoteExpressionValueByString(bus, channel, id, text, value) }
    }
}

impl IUnitInfoTrait for Instance {
    unsafe fn getUnitCount(&self) -> i32 {
        // SAFETY: see above. The framework leaves out the root.
        unsafe { 1 + self.units.getUnitCount() }
    }

    unsafe fn getUnitInfo(&self, index: i32, info: *mut UnitInfo) -> tresult {
        if index != 0 {
            // SAFETY: see above.
            return unsafe { self.units.getUnitInfo(index - 1, info) };
        }
        if info.is_null() {
            return kInvalidArgument;
        }
        // SAFETY: the host gives a place for it.
        let info = unsafe { &mut *info };
        (info.id, info.parentUnitId, info.programListId) = (kRootUnitId, kNoParentUnitId, kNoProgramListId);
        write_text("Root", &mut info.name);
        kResultOk
    }

    unsafe fn getProgramListCount(&self) -> i32 {
        // SAFETY: see above.
        unsafe { self.units.getProgramListCount() }
    }

    unsafe fn getProgramListInfo(&self, index: i32, info: *mut ProgramListInfo) -> tresult {
        // SAFETY: see above.
        unsafe { self.units.getProgramListInfo(index, info) }
    }

    unsafe fn getProgramName(&self, list: ProgramListID, program: i32, name: *mut String128) -> tresult {
        // SAFETY: see above.
        unsafe { self.units.getProgramName(list, program, name) }
    }

    unsafe fn getProgramInfo(
        &self,
        list: ProgramListID,
        program: i32,
        attribute: CString,
        value: *mut String128,
    ) -> tresult {
        // SAFETY: see above.
        unsafe { self.units.getProgramInfo(list, program, attribute, value) }
    }

    unsafe fn hasProgramPitchNames(&self, list: ProgramListID, program: i32) -> tresult {
        // SAFETY: see above.
        unsafe { self.units.hasProgramPitchNames(list, program) }
    }

    unsafe fn getProgramPitchName(
        &self,
        list: ProgramListID,
        program: i32,
        pitch: i16,
        name: *mut String128,
    ) -> tresult {
        // SAFETY: see above.
        unsafe { self.units.getProgramPitchName(list, program, pitch, name) }
    }

    unsafe fn getSelectedUnit(&self) -> UnitID {
        // SAFETY: see above.
        unsafe { self.units.getSelectedUnit() }
    }

    unsafe fn selectUnit(&self, unit: UnitID) -> tresult {
        // SAFETY: see above.
        unsafe { self.units.selectUnit(unit) }
    }

    unsafe fn getUnitByBus(
        &self,
        kind: MediaType,
        direction: BusDirection,
        bus: i32,
        channel: i32,
        unit: *mut UnitID,
    ) -> tresult {
        // SAFETY: see above.
        unsafe { self.units.getUnitByBus(kind, direction, bus, channel, unit) }
    }

    unsafe fn setUnitProgramData(&self, list_or_unit: i32, program: i32, data: *mut IBStream) -> tresult {
        // SAFETY: see above.
        unsafe { self.units.setUnitProgramData(list_or_unit, program, data) }
    }
}
