//! Frames of window functions.

use datafusion::common::Result;
use datafusion::logical_expr::{WindowFrame, WindowFrameBound, WindowFrameUnits};
use prost::Message;

use crate::codec::literals::LiteralNode;
use crate::codec::wire::lacks;

#[derive(Clone, PartialEq, Message)]
pub(super) struct FrameNode {
    #[prost(enumeration = "Units", tag = "1")]
    units: i32,
    #[prost(message, optional, tag = "2")]
    start: Option<BoundNode>,
    #[prost(message, optional, tag = "3")]
    end: Option<BoundNode>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, prost::Enumeration)]
#[repr(i32)]
enum Units {
    Rows = 0,
    Range = 1,
    Groups = 2,
}

#[derive(Clone, PartialEq, Message)]
struct BoundNode {
    #[prost(enumeration = "Bound", tag = "1")]
    kind: i32,
    #[prost(message, optional, tag = "2")]
    value: Option<LiteralNode>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, prost::Enumeration)]
#[repr(i32)]
enum Bound {
    CurrentRow = 0,
    Preceding = 1,
    Following = 2,
}

impl FrameNode {
    pub(super) fn of(frame: &WindowFrame) -> Result<Self> {
        let units = match frame.units {
            WindowFrameUnits::Rows => Units::Rows,
            WindowFrameUnits::Range => Units::Range,
            WindowFrameUnits::Groups => Units::Groups,
        };
        let (start, end) = (BoundNode::of(&frame.start_bound)?, BoundNode::of(&frame.end_bound)?);
        Ok(Self { units: units.into(), start: Some(start), end: Some(end) })
    }

    pub(super) fn read(node: Option<&Self>) -> Result<WindowFrame> {
        let node = node.ok_or_else(|| lacks("a frame"))?;
        let units = match node.units() {
            Units::Rows => WindowFrameUnits::Rows,
            Units::Range => WindowFrameUnits::Range,
            Units::Groups => WindowFrameUnits::Groups,
        };
        let (start, end) = (BoundNode::read(node.start.as_ref())?, BoundNode::read(node.end.as_ref())?);
        Ok(WindowFrame::new_bounds(units, start, end))
    }
}

impl BoundNode {
    fn of(bound: &WindowFrameBound) -> Result<Self> {
        let (kind, value) = match bound {
            WindowFrameBound::CurrentRow => (Bound::CurrentRow, None),
            WindowFrameBound::Preceding(value) => (Bound::Preceding, Some(value)),
            WindowFrameBound::Following(value) => (Bound::Following, Some(value)),
        };
        Ok(Self { kind: kind.into(), value: value.map(LiteralNode::new).transpose()? })
    }

    fn read(node: Option<&Self>) -> Result<WindowFrameBound> {
        let node = node.ok_or_else(|| lacks("the bound of a frame"))?;
        let value = || node.value.as_ref().ok_or_else(|| lacks("the bound of a frame"))?.read();
        Ok(match node.kind() {
            Bound::CurrentRow => WindowFrameBound::CurrentRow,
            Bound::Preceding => WindowFrameBound::Preceding(value()?),
            Bound::Following => WindowFrameBound::Following(value()?),
        })
    }
}
